package phpmemcached_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/golden"
	"github.com/bmemcached/bmemcached-go/binary/codec/phpmemcached"
)

// stored is what php-memcached stored.
type stored struct {
	Serializer, Compression, Name string

	Flags       uint32
	Value       []byte `json:"value_base64"`
	PlainSHA256 string `json:"plain_sha256"` // of long values
	PlainSize   int    `json:"plain_size"`
}

func loadGolden(tb testing.TB) []stored {
	tb.Helper()
	return golden.Load[stored](tb, "testdata/values.json")
}

// scalars are the golden values that PHP does not serialize, in Go.
var scalars = map[string]any{
	"text": "héllo wörld", "empty": "", "bytes": "\x00\x01\xff raw",
	"int": int64(42), "neg": int64(-7), "max": int64(math.MaxInt64), "min": int64(math.MinInt64),
	"true": true, "false": false,
	"f3.5": 3.5, "f0": 0.0, "fneg0": math.Copysign(0, -1), "fhalf": 0.5, "f1e100": 1e100, "f1e-7": 1e-7,
	"fthird": 1.0 / 3, "f1e15": 1e15, "f123456789012": 123456789012.0, "f0.001": 0.001, "f0.0001": 0.0001,
	"f-2.5e-300": -2.5e-300, "inf": math.Inf(1), "ninf": math.Inf(-1),
}

// serialized are those that it does, by serializer.
var serialized = map[string]map[string]any{
	"php": {
		"null": nil, "list": []any{int64(1), "two", 3.0}, "map": map[string]any{"a": int64(1), "b": []any{true, nil}},
		"intkeys": map[string]any{"5": "x", "-3": "y", "08": "z"},
	},
	"json": {
		"null": nil, "list": []any{1.0, "two", 3.0}, "map": map[string]any{"a": 1.0, "b": []any{true, nil}},
		"intkeys": map[string]any{"5": "x", "-3": "y", "08": "z"}, "object": map[string]any{"a": 1.0},
	},
}

func wanted(g stored) (want any, ok bool) {
	if want, ok = scalars[g.Name]; ok {
		return want, true
	}
	format := g.Serializer
	if format != "json" {
		format = "php" // what igbinary and MessagePack hold is the same
	}
	want, ok = serialized[format][g.Name]
	return want, ok
}

func TestGolden_DecodesWhatPHPStored(t *testing.T) {
	formats := map[string]string{"php": "php serialize", "igbinary": "igbinary", "msgpack": "msgpack"}
	for _, g := range loadGolden(t) {
		t.Run(g.Serializer+"/"+g.Compression+"/"+g.Name, func(t *testing.T) {
			var got any
			err := phpmemcached.Codec{}.Decode(g.Value, g.Flags, &got)
			if want, ok := wanted(g); ok {
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("Decode = %#v, %v, want %#v", got, err, want)
				}
				return
			}
			switch {
			case g.PlainSHA256 != "":
				s, _ := got.(string)
				if sum := sha256.Sum256([]byte(s)); err != nil || hex.EncodeToString(sum[:]) != g.PlainSHA256 {
					t.Errorf("Decode gave %d bytes, %v, want %d others", len(s), err, g.PlainSize)
				}
			case g.Name == "nan":
				if f, ok := got.(float64); err != nil || !ok || !math.IsNaN(f) {
					t.Errorf("Decode = %v, %v, want NaN", got, err)
				}
			default:
				var object *codec.ObjectError
				if !errors.As(err, &object) || object.Format != formats[g.Serializer] || !bytes.Equal(object.Data, g.Value) || got != nil {
					t.Errorf("Decode = %v, %v, want an ObjectError with the bytes", got, err)
				}
			}
		})
	}
}

func TestGolden_FlagsSayHowItIsCompressed(t *testing.T) {
	seen := map[uint32]int{}
	for _, g := range loadGolden(t) {
		seen[g.Flags&^15]++
	}
	fastLZ, zlib := phpmemcached.FlagCompressed|phpmemcached.FlagFastLZ, phpmemcached.FlagCompressed|phpmemcached.FlagZlib
	if seen[fastLZ] != 3 || seen[zlib] != 3 {
		t.Errorf("golden values by compression: %v, want 3 of %d and of %d", seen, fastLZ, zlib)
	}
}

func TestGolden_EncodesAsPHPStores(t *testing.T) {
	encoded := 0
	for _, g := range loadGolden(t) {
		v, ok := wanted(g)
		if !ok && g.Compression == "zlib" {
			var s string
			if err := (phpmemcached.Codec{}).Decode(g.Value, g.Flags, &s); err != nil {
				t.Fatal(err)
			}
			v, ok = s, true
		}
		readOnly := g.Flags == phpmemcached.TypeIgbinary || g.Flags == phpmemcached.TypeMsgpack
		if !ok || g.Name == "object" || readOnly {
			continue
		}
		encoded++
		t.Run(g.Serializer+"/"+g.Name, func(t *testing.T) {
			c := phpmemcached.Codec{}
			if g.Serializer == "json" {
				c.Serializer = phpmemcached.JSON
			}
			got, flags, err := c.Encode(v)
			if err != nil || flags != g.Flags {
				t.Fatalf("Encode(%.40v) gave flags %d, %v, want %d", v, flags, err, g.Flags)
			}
			switch {
			case flags&phpmemcached.FlagCompressed != 0:
				// Two compressors need not agree on the bytes, only on what they hold.
				if !bytes.Equal(got[:4], g.Value[:4]) || !bytes.Equal(golden.Unzip(t, got[4:]), golden.Unzip(t, g.Value[4:])) {
					t.Errorf("Encode(%.40v) holds another value", v)
				}
			case flags == phpmemcached.TypeDouble || g.Name == "intkeys":
				var w any // .5 and 0.5, or another order of keys
				if err := c.Decode(got, flags, &w); err != nil || !reflect.DeepEqual(v, w) {
					t.Errorf("Encode(%v) = %q, which is read as %v, %v", v, got, w, err)
				}
			case !bytes.Equal(got, g.Value):
				t.Errorf("Encode(%.40v) = %.60q, want %.60q", v, got, g.Value)
			}
		})
	}
	if encoded < 30 {
		t.Errorf("only %d golden values were encoded", encoded)
	}
}

func TestGolden_NumbersDecodeIntoNumbers(t *testing.T) {
	for _, g := range loadGolden(t) {
		if g.Name != "int" && g.Name != "f3.5" {
			continue
		}
		var f float64
		if err := (phpmemcached.Codec{}).Decode(g.Value, g.Flags, &f); err != nil || f != 42 && f != 3.5 {
			t.Errorf("%s: Decode into a float64 = %v, %v", g.Name, f, err)
		}
	}
	if !strings.Contains(phpmemcached.Codec{}.Decode([]byte("x"), phpmemcached.TypeLong, new(int)).Error(), "phpmemcached") {
		t.Error("errors do not name the package")
	}
}
