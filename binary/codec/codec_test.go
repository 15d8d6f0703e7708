package codec_test

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/codec"
)

type (
	namedBytes  []byte
	namedString string
	point       struct{ X, Y int }
)

func TestRaw_StoresBytesAndTextAsTheyAre(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   any
		want string
	}{
		{"bytes", []byte("a\x00\xff"), "a\x00\xff"},
		{"text", "héllo", "héllo"},
		{"empty bytes", []byte{}, ""},
		{"nil bytes", []byte(nil), ""},
		{"empty text", "", ""},
		{"named bytes", namedBytes("b"), "b"},
		{"named text", namedString("s"), "s"},
		{"raw JSON", json.RawMessage(`{}`), "{}"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			data, flags, err := codec.Raw{}.Encode(tc.in)
			if string(data) != tc.want || flags != 0 || err != nil {
				t.Fatalf("Encode(%#v) = %q, %d, %v, want %q, 0, nil", tc.in, data, flags, err, tc.want)
			}
			out := reflect.New(reflect.TypeOf(tc.in))
			if err := (codec.Raw{}).Decode(data, 0, out.Interface()); err != nil {
				t.Fatalf("Decode into %v: %v", out.Type(), err)
			}
			if got := reflect.ValueOf(tc.in).Len(); out.Elem().Len() != got {
				t.Errorf("Decode gave %v, want %v", out.Elem(), tc.in)
			}
		})
	}
}

func TestRaw_DecodesIntoAnyAsBytes(t *testing.T) {
	var v any
	if err := (codec.Raw{}).Decode([]byte("x"), 77, &v); err != nil {
		t.Fatal(err)
	}
	if b, ok := v.([]byte); !ok || string(b) != "x" {
		t.Errorf("Decode gave %T %v, want []byte x", v, v)
	}
}

func TestRaw_EmptyValueIsNotNil(t *testing.T) {
	var b []byte
	if err := (codec.Raw{}).Decode(nil, 0, &b); err != nil || b == nil {
		t.Errorf("Decode of an empty value = %v, %v, want an empty slice", b, err)
	}
}

func TestRaw_RefusesEverythingElse(t *testing.T) {
	for _, v := range []any{nil, 1, 1.5, true, point{}, &point{}, []string{"a"}, map[string]int{}, (*[]byte)(nil), new(string)} {
		if _, _, err := (codec.Raw{}).Encode(v); !errors.Is(err, codec.ErrType) {
			t.Errorf("Encode(%T) = %v, want ErrType", v, err)
		}
	}
	for _, v := range []any{nil, new(int), new(bool), new(point), "", (*string)(nil), (*any)(nil), new([]string)} {
		if err := (codec.Raw{}).Decode([]byte("1"), 0, v); !errors.Is(err, codec.ErrType) {
			t.Errorf("Decode into %T = %v, want ErrType", v, err)
		}
	}
}

func TestDecode_KeepsNoReferenceToData(t *testing.T) {
	for name, c := range map[string]codec.Codec{
		"raw": codec.Raw{}, "compressed": codec.Compressed(codec.Raw{}, 0),
	} {
		for _, v := range []any{new([]byte), new(any), new(namedBytes)} {
			data := []byte("before")
			if err := c.Decode(data, 0, v); err != nil {
				t.Fatal(err)
			}
			copy(data, "CHANGE")
			if got := reflect.ValueOf(v).Elem(); strings.Contains(string(toBytes(got)), "CHANGE") {
				t.Errorf("%s: what Decode set in a %T changed with data", name, v)
			}
		}
	}
}

func toBytes(v reflect.Value) []byte {
	if v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	return v.Bytes()
}

func TestJSON_RoundTrip(t *testing.T) {
	in := map[string]point{"a": {1, 2}}
	data, flags, err := codec.JSON{}.Encode(in)
	if string(data) != `{"a":{"X":1,"Y":2}}` || flags != 0 || err != nil {
		t.Fatalf("Encode = %q, %d, %v", data, flags, err)
	}
	var out map[string]point
	if err := (codec.JSON{}).Decode(data, 0, &out); err != nil || !reflect.DeepEqual(out, in) {
		t.Errorf("Decode = %v, %v, want %v", out, err, in)
	}
}

func TestJSON_ErrorsTellWhatIsWrong(t *testing.T) {
	if _, _, err := (codec.JSON{}).Encode(func() {}); !errors.Is(err, codec.ErrType) {
		t.Errorf("Encode(func) = %v, want ErrType", err)
	}
	for _, tc := range []struct {
		name, data string
		flags      uint32
		into       any
		want       error
	}{
		{"syntax", `{"a"`, 0, new(any), codec.ErrCorrupt},
		{"empty", ``, 0, new(any), codec.ErrCorrupt},
		{"compressed", "\x28\xb5\x2f\xfd", codec.FlagZstd, new(any), codec.ErrFlags},
		{"type", `{"X":"secret"}`, 0, new(point), codec.ErrType},
		{"range", `{"X":31337313373133731337}`, 0, new(point), codec.ErrType},
		{"no pointer", `1`, 0, 1, codec.ErrType},
		{"nil", `1`, 0, nil, codec.ErrType},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := codec.JSON{}.Decode([]byte(tc.data), tc.flags, tc.into)
			if !errors.Is(err, tc.want) {
				t.Fatalf("Decode = %v, want %v", err, tc.want)
			}
			if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "31337") {
				t.Errorf("the error shows the value: %v", err)
			}
		})
	}
}

// noise returns n bytes that do not compress.
func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{})
	_, _ = r.Read(b)
	return b
}

func TestCompressed_KeepsOnlyWhatBecomesSmaller(t *testing.T) {
	c := codec.Compressed(codec.Raw{}, 100)
	for _, tc := range []struct {
		name  string
		in    []byte
		flags uint32
	}{
		{"empty", []byte{}, 0},
		{"at the threshold", bytes.Repeat([]byte("a"), 100), 0},
		{"above the threshold", bytes.Repeat([]byte("a"), 101), codec.FlagZstd},
		{"noise", noise(10_000), 0},
		{"large", bytes.Repeat([]byte("line of a large value\n"), 200_000), codec.FlagZstd},
		{"half noise", append(noise(300_000), make([]byte, 300_000)...), codec.FlagZstd},
	} {
		t.Run(tc.name, func(t *testing.T) {
			data, flags, err := c.Encode(tc.in)
			if err != nil || flags != tc.flags {
				t.Fatalf("Encode gave flags %d, %v, want %d", flags, err, tc.flags)
			}
			if flags == 0 && !bytes.Equal(data, tc.in) || flags != 0 && len(data) >= len(tc.in) {
				t.Errorf("Encode of %d bytes gave %d bytes, flags %d", len(tc.in), len(data), flags)
			}
			var out []byte
			if err := c.Decode(data, flags, &out); err != nil || !bytes.Equal(out, tc.in) {
				t.Errorf("Decode gave %d bytes, %v, want %d bytes as stored", len(out), err, len(tc.in))
			}
		})
	}
}

func TestCompressed_NegativeThresholdOnlyReads(t *testing.T) {
	on, off := codec.Compressed(codec.JSON{}, 0), codec.Compressed(codec.JSON{}, -1)
	in := strings.Repeat("abc ", 1000)
	data, flags, err := off.Encode(in)
	if err != nil || flags != 0 || len(data) != len(in)+2 {
		t.Fatalf("Encode = %d bytes, %d, %v, want the plain JSON", len(data), flags, err)
	}
	data, flags, err = on.Encode(in)
	if err != nil || flags != codec.FlagZstd {
		t.Fatalf("Encode gave flags %d, %v, want %d", flags, err, codec.FlagZstd)
	}
	var out string
	if err := off.Decode(data, flags, &out); err != nil || out != in {
		t.Errorf("Decode of a compressed value: %v", err)
	}
}

func TestCompressed_ReadsZlib(t *testing.T) {
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	_, _ = w.Write([]byte(`{"X":1,"Y":2}`))
	_ = w.Close()
	var p point
	err := codec.Compressed(codec.JSON{}, 0).Decode(z.Bytes(), codec.FlagZlib, &p)
	if err != nil || p != (point{1, 2}) {
		t.Errorf("Decode = %v, %v, want {1 2}", p, err)
	}
}

func TestCompressed_PassesOnTheFlagsOfTheWrappedCodec(t *testing.T) {
	var got uint32
	inner := flagged{flags: 3, got: &got}
	c := codec.Compressed(inner, 0)
	data, flags, err := c.Encode(strings.Repeat("a", 1000))
	if err != nil || flags != 3|codec.FlagZstd || flags > codec.MaxFlags {
		t.Fatalf("Encode gave flags %d, %v, want %d", flags, err, 3|codec.FlagZstd)
	}
	if err := c.Decode(data, flags, new(string)); err != nil || got != 3 {
		t.Errorf("the wrapped Codec saw flags %d, %v, want 3", got, err)
	}
	for _, taken := range []uint32{codec.FlagZlib, codec.FlagZstd} {
		inner.flags = taken
		if _, _, err := codec.Compressed(inner, 0).Encode("a"); !errors.Is(err, codec.ErrFlags) {
			t.Errorf("Encode over a Codec with flags %d = %v, want ErrFlags", taken, err)
		}
	}
}

// flagged is Raw with flags of its own.
type flagged struct {
	flags uint32
	got   *uint32
}

func (f flagged) Encode(v any) ([]byte, uint32, error) {
	data, _, err := codec.Raw{}.Encode(v)
	return data, f.flags, err
}

func (f flagged) Decode(data []byte, flags uint32, v any) error {
	*f.got = flags
	return codec.Raw{}.Decode(data, 0, v)
}

func TestCompressed_GarbageIsCorrupt(t *testing.T) {
	c := codec.Compressed(codec.Raw{}, 0)
	good, _, _ := c.Encode(strings.Repeat("abc ", 1000))
	for _, flags := range []uint32{codec.FlagZstd, codec.FlagZlib} {
		for _, data := range [][]byte{nil, {}, []byte("x"), []byte("plain text"), good[:len(good)-1], append([]byte{1}, good...), noise(1000)} {
			var out []byte
			if err := c.Decode(data, flags, &out); !errors.Is(err, codec.ErrCorrupt) || out != nil {
				t.Errorf("Decode(%d bytes, %d) = %d bytes, %v, want ErrCorrupt", len(data), flags, len(out), err)
			}
		}
	}
	if err := c.Decode(good, codec.FlagZlib|codec.FlagZstd, new([]byte)); !errors.Is(err, codec.ErrFlags) {
		t.Errorf("Decode with both flags = %v, want ErrFlags", err)
	}
}
