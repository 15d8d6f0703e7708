package nodememcached_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"reflect"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/codec/internal/golden"
	"github.com/bmemcached/bmemcached-go/binary/codec/nodememcached"
)

// stored is what the npm package memcached stored.
type stored struct {
	Name  string
	Flags uint32
	Value []byte `json:"value_base64"`
}

func loadGolden(tb testing.TB) []stored {
	tb.Helper()
	return golden.Load[stored](tb, "testdata/values.json")
}

// data holds the golden values in Go.
var data = map[string]any{
	"empty string": "", "text": "héllo wörld", "digits": "42", "unicode": "日本語 🐘 \u0000 é", "newlines": "a\r\nb\nc\rd\\\ne\\",
	"integer": int64(42), "zero": int64(0), "negative": int64(-7), "largest safe integer": int64(1<<53 - 1),
	"float": 3.5, "third": 1.0 / 3, "large": -1e100, "21 digits": 1e21, "20 digits": digits20, "small": 5e-324, "below a millionth": 1e-7,
	"infinity": math.Inf(1), "negative infinity": math.Inf(-1),
	"true": true, "false": false, "null": nil, "array": []any{1.0, "two", 3.5, nil, []any{true}},
	"object": map[string]any{"a": map[string]any{"b": 1.0}}, "object with text": map[string]any{"html": "<b>\n\"é\"</b>"},
	"empty buffer": []byte{}, "buffer": []byte("\x00\x01\xff\r\n"), "all bytes": golden.AllBytes(1),
}

func TestGolden_DecodesWhatNodeStored(t *testing.T) {
	for _, g := range loadGolden(t) {
		t.Run(g.Name, func(t *testing.T) {
			var got any
			err := nodememcached.Codec{}.Decode(g.Value, g.Flags, &got)
			if g.Name == "NaN" {
				if f, ok := got.(float64); err != nil || !ok || !math.IsNaN(f) {
					t.Errorf("Decode = %v, %v, want NaN", got, err)
				}
				return
			}
			want, ok := data[g.Name]
			if !ok || err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("Decode = %T %.40v, %v, want %T %.40v", got, got, err, want, want)
			}
		})
	}
}

func TestGolden_EncodesAsNodeStores(t *testing.T) {
	for _, g := range loadGolden(t) {
		v := data[g.Name]
		switch g.Name {
		case "NaN":
			v = math.NaN()
		case "20 digits":
			v = 1e20
		}
		t.Run(g.Name, func(t *testing.T) {
			got, flags, err := nodememcached.Codec{}.Encode(v)
			if err != nil || flags != g.Flags {
				t.Fatalf("Encode(%.40v) gave flags %#x, %v, want %#x", v, flags, err, g.Flags)
			}
			// encoding/json escapes what HTML would read as a tag.
			if flags == nodememcached.FlagJSON && sameJSON(got, g.Value) {
				return
			}
			if !bytes.Equal(got, g.Value) {
				t.Errorf("Encode(%.40v) = %.60q, want %.60q", v, got, g.Value)
			}
		})
	}
}

func sameJSON(a, b []byte) bool {
	var v, w any
	return json.Unmarshal(a, &v) == nil && json.Unmarshal(b, &w) == nil && reflect.DeepEqual(v, w)
}

// digits20 is 10^20, which JavaScript writes in digits.
var digits20, _ = new(big.Int).SetString("100000000000000000000", 10)
