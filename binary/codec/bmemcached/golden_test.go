package bmemcached_test

import (
	"bytes"
	"errors"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/bmemcached"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/golden"
)

// stored is what a Python client stored.
type stored struct {
	Client, Name string
	Python       string // the value in Python, shortened
	Flags        uint32
	Value        []byte `json:"value_base64"`
}

func loadGolden(tb testing.TB) []stored {
	tb.Helper()
	return golden.Load[stored](tb, "testdata/foreign_values.json")
}

// codecOf returns the codec of a golden value, with the settings that the client
// had.
func codecOf(client string) codec.Codec {
	if client == "pylibmc" {
		return bmemcached.Pylibmc{CompressAbove: 399} // min_compress_len=400
	}
	return bmemcached.Codec{}
}

// data holds the golden values that are data, in Go; the others are pickles.
var data = map[string]any{
	"text":         "héllo wörld",
	"empty_text":   "",
	"bytes":        []byte("\x00\x01\xff raw"),
	"int":          int64(42),
	"negative_int": int64(-7),
	"big_int":      uint64(1 << 63),
	"long_text":    strings.Repeat("abc ", 200),
	"long_bytes":   golden.AllBytes(4),
}

func TestGolden_DecodesWhatPythonStored(t *testing.T) {
	for _, g := range loadGolden(t) {
		t.Run(g.Client+"/"+g.Name, func(t *testing.T) {
			var got any
			err := codecOf(g.Client).Decode(g.Value, g.Flags, &got)
			want, isData := data[g.Name]
			switch {
			case g.Name == "incompressible":
				b, ok := got.([]byte)
				if err != nil || !ok || !bytes.HasPrefix(b, []byte("\x00\xa9\x95\xbf,\xd2\xbb\xe2L\xef\xd5\xf9`\x05\xe3\th\n\xe5\x08d\x03\xdb\xf6T\xeb\xc5\xdd8\xcc")) {
					t.Errorf("Decode = %T, %v, want []byte that begins %s", got, err, g.Python)
				}
			case g.Client == "pylibmc" && g.Name == "bool":
				var b bool
				if err := codecOf(g.Client).Decode(g.Value, g.Flags, &b); err != nil || !b || got != int64(1) {
					t.Errorf("Decode = %v and %v, %v, want 1 and true", got, b, err)
				}
			case isData:
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("Decode = %T %.40v, %v, want %T %.40v", got, got, err, want, want)
				}
			default:
				wantPickle(t, g, got, err)
			}
		})
	}
}

// wantPickle checks that a golden pickle gave its bytes and nothing else.
func wantPickle(t *testing.T, g stored, got any, err error) {
	t.Helper()
	var pickle *bmemcached.PickleError
	if got != nil || !errors.Is(err, bmemcached.ErrPickle) || !errors.As(err, &pickle) {
		t.Fatalf("Decode = %v, %v, want ErrPickle", got, err)
	}
	if want := unzip(t, g.Value, g.Flags); !bytes.Equal(pickle.Data, want) {
		t.Errorf("PickleError.Data = %q, want %q", pickle.Data, want)
	}
}

// unzip decompresses what the flags say is compressed.
func unzip(t *testing.T, data []byte, flags uint32) []byte {
	t.Helper()
	if flags&bmemcached.FlagZlib == 0 {
		return data
	}
	return golden.Unzip(t, data)
}

func TestGolden_EncodesAsPythonStores(t *testing.T) {
	encoded := 0
	for _, g := range loadGolden(t) {
		v, ok := data[g.Name]
		if g.Client == "pylibmc" && g.Name == "bool" {
			v, ok = true, true
		}
		if g.Name == "incompressible" {
			v, ok = unzip(t, g.Value, g.Flags), true
		}
		if !ok {
			continue
		}
		encoded++
		t.Run(g.Client+"/"+g.Name, func(t *testing.T) {
			got, flags, err := codecOf(g.Client).Encode(v)
			if err != nil || flags != g.Flags {
				t.Fatalf("Encode(%.40v) gave flags %d, %v, want %d", v, flags, err, g.Flags)
			}
			// Two compressors need not agree on the bytes, only on what they hold.
			if flags&bmemcached.FlagZlib == 0 && !bytes.Equal(got, g.Value) ||
				!bytes.Equal(unzip(t, got, flags), unzip(t, g.Value, g.Flags)) {
				t.Errorf("Encode(%.40v) = %.60q, want %.60q", v, got, g.Value)
			}
		})
	}
	if encoded < 18 {
		t.Errorf("only %d golden values were encoded", encoded)
	}
}

func TestGolden_PickledValuesAreRefused(t *testing.T) {
	for _, v := range []any{nil, true, 3.5, []any{1}, map[string]int{"a": 1}, struct{}{}} {
		if _, _, err := (bmemcached.Codec{}).Encode(v); !errors.Is(err, codec.ErrType) {
			t.Errorf("Encode(%#v) = %v, want ErrType", v, err)
		}
	}
}

func TestGolden_IntegersOfAnySize(t *testing.T) {
	huge, _ := new(big.Int).SetString("-"+strings.Repeat("123456789", 20), 10)
	for _, v := range []any{int8(-5), uint8(200), int16(-300), uint16(60000), int32(-70000), uint32(4e9), int64(-1 << 63), uint64(1<<64 - 1), uint(7), huge} {
		stored, flags, err := bmemcached.Codec{}.Encode(v)
		if err != nil {
			t.Fatalf("Encode(%v): %v", v, err)
		}
		out := reflect.New(reflect.TypeOf(v))
		if err := (bmemcached.Codec{}).Decode(stored, flags, out.Interface()); err != nil {
			t.Errorf("Decode(%q) into %T: %v", stored, out.Interface(), err)
		}
		if !reflect.DeepEqual(out.Elem().Interface(), v) {
			t.Errorf("Decode(%q) = %v, want %v", stored, out.Elem(), v)
		}
	}
}
