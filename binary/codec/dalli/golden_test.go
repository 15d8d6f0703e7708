package dalli_test

import (
	"bytes"
	"errors"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/dalli"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/golden"
)

// stored is what Dalli stored.
type stored struct {
	Options, Name string
	Flags         uint32
	Value         []byte `json:"value_base64"`
}

func loadGolden(tb testing.TB) []stored {
	tb.Helper()
	return golden.Load[stored](tb, "testdata/values.json")
}

// codecOf returns the codec with the options that Dalli had.
func codecOf(options string) dalli.Codec {
	switch options {
	case "serializer: JSON":
		return dalli.Codec{Serializer: dalli.JSON}
	case "compressor: Dalli::GzipCompressor":
		return dalli.Codec{Gzip: true}
	case "raw: true":
		return dalli.Codec{Serializer: dalli.Raw}
	}
	return dalli.Codec{}
}

var (
	big100, _ = new(big.Int).SetString("1267650600228229401496703217721", 10)

	// marshaled are the golden values that Marshal stored, in Go.
	marshaled = map[string]any{
		"text": "héllo wörld", "ascii": "plain", "latin1": []byte("h\xe9"), "empty": "",
		"bytes": []byte("\x00\x01\xff raw"),
		"int":   int64(42), "zero": int64(0), "one": int64(1), "neg": int64(-7),
		"i122": int64(122), "i123": int64(123), "im123": int64(-123), "im124": int64(-124),
		"i255": int64(255), "i256": int64(256), "im256": int64(-256), "im257": int64(-257),
		"i65535": int64(65535), "i65536": int64(65536),
		"i30m": int64(1<<30 - 1), "i30": int64(1 << 30), "im30": int64(-1 << 30), "im30m": int64(-1<<30 - 1),
		"i62": int64(1 << 62), "max": int64(math.MaxInt64), "min": int64(math.MinInt64),
		"u64": uint64(math.MaxUint64), "big": big100,
		"true": true, "false": false, "nil": nil,
		"f3.5": 3.5, "f0": 0.0, "fneg0": math.Copysign(0, -1), "third": 1.0 / 3, "f1e100": 1e100,
		"inf": math.Inf(1), "ninf": math.Inf(-1),
		"sym": "abc", "symu": "hé",
		"list":      []any{int64(1), "two", 3.0},
		"map":       map[string]any{"a": int64(1), "b": []any{true, nil}},
		"symmap":    map[string]any{"a": int64(1), "b": map[string]any{"a": int64(2)}},
		"shared":    []any{"dup", "dup", "dup"},
		"intkeys":   map[string]any{"1": int64(2)},
		"default":   map[string]any{"a": int64(1)},
		"long_text": strings.Repeat("abc ", 2000), "long_bytes": golden.AllBytes(20),
	}
	// objects are those that are more than data.
	objects = []string{"time", "struct", "range"}
)

func TestGolden_DecodesWhatMarshalStored(t *testing.T) {
	for _, g := range loadGolden(t) {
		if g.Options != "" && g.Options != "compressor: Dalli::GzipCompressor" {
			continue
		}
		t.Run(g.Options+"/"+g.Name, func(t *testing.T) {
			var got any
			err := codecOf(g.Options).Decode(g.Value, g.Flags, &got)
			if want, ok := marshaled[g.Name]; ok {
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
			var object *codec.ObjectError
			if !errors.As(err, &object) || object.Format != "ruby marshal" || !bytes.Equal(object.Data, g.Value) || got != nil {
				t.Errorf("Decode = %v, %v, want an ObjectError with the bytes", got, err)
			}
			if !strings.Contains(strings.Join(objects, " "), g.Name) {
				t.Errorf("%s is data", g.Name)
			}
		})
	}
}

func TestGolden_DecodesWhatOtherSettingsStored(t *testing.T) {
	want := map[string]map[string]any{
		"serializer: JSON": {
			"text": "héllo wörld", "empty": "", "int": 42.0, "max": float64(math.MaxInt64), "min": float64(math.MinInt64),
			"u64": float64(math.MaxUint64), "big": 1267650600228229401496703217721.0,
			"true": true, "false": false, "nil": nil, "f3.5": 3.5, "f1e100": 1e100,
			"list": []any{1.0, "two", 3.0}, "map": map[string]any{"a": 1.0, "b": []any{true, nil}},
			"long_text": strings.Repeat("abc ", 2000),
		},
		"raw: true": {
			"text": []byte("héllo"), "int": []byte("42"), "counter": []byte("10"), "long": []byte(strings.Repeat("abc ", 2000)),
		},
	}
	seen := 0
	for _, g := range loadGolden(t) {
		w, ok := want[g.Options][g.Name]
		if !ok {
			continue
		}
		seen++
		var got any
		if err := codecOf(g.Options).Decode(g.Value, g.Flags, &got); err != nil || !reflect.DeepEqual(got, w) {
			t.Errorf("%s %s: Decode = %T %.40v, %v, want %T %.40v", g.Options, g.Name, got, got, err, w, w)
		}
	}
	if seen != 19 {
		t.Errorf("saw %d values, want 19", seen)
	}
}

func TestGolden_CountersAreNumbers(t *testing.T) {
	for _, g := range loadGolden(t) {
		if g.Name != "counter" && g.Name != "int" {
			continue
		}
		var n int
		if err := codecOf(g.Options).Decode(g.Value, g.Flags, &n); err != nil || n != 42 && n != 10 {
			t.Errorf("%s %s: Decode = %d, %v", g.Options, g.Name, n, err)
		}
	}
}

func TestGolden_EncodesAsDalliStores(t *testing.T) {
	// These are written in another way than Ruby does, and read as equal.
	skip := map[string]bool{
		"ascii": true, "latin1": true, "sym": true, "symu": true, "f1e100": true, // no such types, 1e+100
		"list": true, "map": true, "symmap": true, "shared": true, "intkeys": true, "default": true, // symbols are repeated
	}
	encoded := 0
	for _, g := range loadGolden(t) {
		v, ok := marshaled[g.Name]
		switch {
		case !ok || skip[g.Name]:
			continue
		case g.Options == "raw: true" && g.Name == "text":
			v = "héllo"
		case g.Options == "serializer: JSON" && (g.Name == "list" || g.Name == "map"):
			continue
		}
		encoded++
		t.Run(g.Options+"/"+g.Name, func(t *testing.T) {
			got, flags, err := codecOf(g.Options).Encode(v)
			if err != nil || flags != g.Flags {
				t.Fatalf("Encode(%.40v) gave flags %d, %v, want %d", v, flags, err, g.Flags)
			}
			// Two compressors need not agree on the bytes, only on what they hold.
			if !bytes.Equal(unzip(t, got, flags), unzip(t, g.Value, flags)) {
				t.Errorf("Encode(%.40v) = %.60q, want %.60q", v, got, g.Value)
			}
		})
	}
	if encoded < 45 {
		t.Errorf("only %d golden values were encoded", encoded)
	}
}

// unzip decompresses what the flags say is compressed.
func unzip(t *testing.T, data []byte, flags uint32) []byte {
	t.Helper()
	if flags&dalli.FlagCompressed == 0 {
		return data
	}
	return golden.Unzip(t, data)
}
