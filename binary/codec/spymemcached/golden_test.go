package spymemcached_test

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/golden"
	"github.com/bmemcached/bmemcached-go/binary/codec/spymemcached"
)

// stored is what spymemcached stored.
type stored struct {
	Name  string
	Flags uint32
	Value []byte `json:"value_base64"`
}

func loadGolden(tb testing.TB) []stored {
	tb.Helper()
	return golden.Load[stored](tb, "testdata/values.json")
}

// data holds the golden values that are data, in Go; the others are objects.
var data = map[string]any{
	"text": "héllo wörld", "empty": "", "bytes": []byte("\x00\x01\xff raw"), "emptybytes": []byte{},
	"int": int32(42), "intzero": int32(0), "intneg": int32(-7), "intmin": int32(math.MinInt32), "intmax": int32(math.MaxInt32),
	"long": int64(42), "longneg": int64(-7), "longmax": int64(math.MaxInt64), "longmin": int64(math.MinInt64), "longzero": int64(0),
	"true": true, "false": false, "byte": int8(-3), "bytezero": int8(0),
	"float": float32(3.5), "fzero": float32(0), "double": 3.5, "dzero": 0.0, "dneg": -1.0 / 3, "inf": math.Inf(1),
	"date": time.UnixMilli(1700000000123).UTC(), "dateneg": time.UnixMilli(-5).UTC(),
	"long_text": strings.Repeat("abc ", 5000), "long_bytes": golden.AllBytes(80),
	"inttr": int32(42), "longtr": int64(-42), "counter": "10",
}

func TestGolden_DecodesWhatJavaStored(t *testing.T) {
	objects := 0
	for _, g := range loadGolden(t) {
		t.Run(g.Name, func(t *testing.T) {
			var got any
			err := spymemcached.Codec{}.Decode(g.Value, g.Flags, &got)
			if want, ok := data[g.Name]; ok {
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("Decode = %T %.40v, %v, want %T %.40v", got, got, err, want, want)
				}
				return
			}
			if g.Name == "nan" {
				if f, ok := got.(float64); err != nil || !ok || !math.IsNaN(f) {
					t.Errorf("Decode = %v, %v, want NaN", got, err)
				}
				return
			}
			objects++
			var object *codec.ObjectError
			if !errors.As(err, &object) || object.Format != "java serialization" || got != nil {
				t.Fatalf("Decode = %v, %v, want an ObjectError", got, err)
			}
			if want := unzip(t, g.Value, g.Flags); !bytes.Equal(object.Data, want) || !bytes.HasPrefix(want, []byte{0xac, 0xed}) {
				t.Errorf("ObjectError.Data = %.40q, want %.40q", object.Data, want)
			}
		})
	}
	if objects != 5 { // short, char, list, sb, longlist
		t.Errorf("saw %d objects, want 5", objects)
	}
}

func TestGolden_EncodesAsJavaStores(t *testing.T) {
	encoded := 0
	for _, g := range loadGolden(t) {
		v, ok := data[g.Name]
		if !ok {
			continue
		}
		encoded++
		t.Run(g.Name, func(t *testing.T) {
			got, flags, err := spymemcached.Codec{}.Encode(v)
			if err != nil || flags != g.Flags {
				t.Fatalf("Encode(%.40v) gave flags %#x, %v, want %#x", v, flags, err, g.Flags)
			}
			// Two compressors need not agree on the bytes, only on what they hold.
			if !bytes.Equal(unzip(t, got, flags), unzip(t, g.Value, flags)) {
				t.Errorf("Encode(%.40v) = %.60q, want %.60q", v, got, g.Value)
			}
		})
	}
	if encoded != len(data) {
		t.Errorf("%d golden values were encoded, want %d", encoded, len(data))
	}
}

// unzip decompresses what the flags say is compressed.
func unzip(t *testing.T, data []byte, flags uint32) []byte {
	t.Helper()
	if flags&spymemcached.FlagCompressed == 0 {
		return data
	}
	return golden.Unzip(t, data)
}
