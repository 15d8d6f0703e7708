package dalli_test

import (
	"bytes"
	"errors"
	"math"
	"math/big"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/dalli"
)

func TestEncode_RoundTrip(t *testing.T) {
	type name string
	for _, c := range []dalli.Codec{{}, {CompressAbove: 1}, {CompressAbove: 1, Gzip: true}, {CompressAbove: -1}} {
		for _, v := range []any{
			"", "héllo", "\xff not UTF-8",
			[]byte{},
			[]byte{0, 255},
			true, false, name("named"),
			0, -1, 122, 123, -123, -124, 1 << 20, 1<<30 - 1, 1 << 30, -1 << 30, -1<<30 - 1,
			int8(-128), uint64(math.MaxUint64), int64(math.MinInt64), new(big.Int).Lsh(big.NewInt(-5), 200),
			3.5, float32(0.25), math.Inf(-1), 1e300, 5e-324,
			[]string{"a", "b"},
			[]any{},
			[]any{nil, int64(1), "x", []any{true}},
			map[string]int{"b": 2, "a": 1},
			map[string]any{},
			map[name][]int{"k": {1, 2}},
			strings.Repeat("compressible ", 1000), bytes.Repeat([]byte{1}, 10_000),
		} {
			data, flags, err := c.Encode(v)
			if err != nil || flags > 3 {
				t.Errorf("Encode(%.40v) gave flags %d, %v", v, flags, err)
				continue
			}
			out := reflect.New(reflect.TypeOf(v))
			if err := c.Decode(data, flags, out.Interface()); err != nil || !reflect.DeepEqual(out.Elem().Interface(), v) {
				t.Errorf("Encode(%#.40v) is read as %#.40v, %v", v, out.Elem(), err)
			}
		}
	}
}

func TestEncode_WhatRubyCannotReadAsDataIsRefused(t *testing.T) {
	endless := []any{nil}
	endless[0] = endless
	for _, tc := range []struct {
		codec dalli.Codec
		v     any
	}{
		{dalli.Codec{}, struct{}{}},
		{dalli.Codec{}, []any{make(chan int)}},
		{dalli.Codec{}, map[int]string{1: "a"}},
		{dalli.Codec{}, new(string)},
		{dalli.Codec{}, endless},
		{dalli.Codec{Serializer: dalli.JSON}, []byte("bytes")},
		{dalli.Codec{Serializer: dalli.JSON}, make(chan int)},
		{dalli.Codec{Serializer: dalli.Raw}, 1.5},
		{dalli.Codec{Serializer: dalli.Raw}, []int{1}},
		{dalli.Codec{Serializer: dalli.Raw}, nil},
	} {
		if _, _, err := tc.codec.Encode(tc.v); !errors.Is(err, codec.ErrType) {
			t.Errorf("Encode(%T) = %v, want ErrType", tc.v, err)
		}
	}
	if _, _, err := (dalli.Codec{Serializer: 9}).Encode("a"); err == nil {
		t.Error("Encode with an unknown serializer succeeded")
	}
}

func TestEncode_CompressesFromTheMinimumSize(t *testing.T) {
	raw := dalli.Codec{Serializer: dalli.Raw}
	for _, tc := range []struct {
		name  string
		codec dalli.Codec
		size  int
		flags uint32
	}{
		{"below", raw, 4095, 0},
		{"from the minimum", raw, 4096, dalli.FlagCompressed},
		{"never", dalli.Codec{Serializer: dalli.Raw, CompressAbove: -1}, 4096, 0},
		{"above what could be read back", dalli.Codec{Serializer: dalli.Raw, MaxSize: 4096}, 4097, 0},
	} {
		if _, flags, err := tc.codec.Encode(strings.Repeat("a", tc.size)); err != nil || flags != tc.flags {
			t.Errorf("%s: Encode gave flags %d, %v, want %d", tc.name, flags, err, tc.flags)
		}
	}
}

func TestDecode_StringFastpath(t *testing.T) {
	var v any
	if err := (dalli.Codec{}).Decode([]byte("héllo"), dalli.FlagUTF8, &v); err != nil || v != "héllo" {
		t.Errorf("Decode of UTF-8 = %v, %v", v, err)
	}
	if err := (dalli.Codec{}).Decode([]byte("\xff"), dalli.FlagUTF8, &v); err != nil || !reflect.DeepEqual(v, []byte{0xff}) {
		t.Errorf("Decode of what is wrongly marked = %#v, %v, want bytes", v, err)
	}
	// Dalli 4.0.0 to 5.0.3: the flag of compressed values, on text that is not.
	for _, text := range []string{"héllo", "", "x", "x^ plain"} {
		if err := (dalli.Codec{}).Decode([]byte(text), dalli.FlagCompressed, &v); text == "x^ plain" {
			if !errors.Is(err, codec.ErrCorrupt) {
				t.Errorf("Decode of what begins like zlib = %v, %v, want ErrCorrupt", v, err)
			}
		} else if err != nil || v != text {
			t.Errorf("Decode(%q) = %v, %v", text, v, err)
		}
	}
	zipped, flags, err := dalli.Codec{Serializer: dalli.Raw, CompressAbove: 1}.Encode(strings.Repeat("é", 100))
	if err != nil || flags != dalli.FlagCompressed {
		t.Fatalf("Encode gave flags %d, %v", flags, err)
	}
	if err := (dalli.Codec{}).Decode(zipped, flags|dalli.FlagUTF8, &v); err != nil || v != strings.Repeat("é", 100) {
		t.Errorf("Decode of compressed UTF-8 = %.40v, %v", v, err)
	}
}

func TestDecode_WhatIsNotData(t *testing.T) {
	const header = "\x04\x08"
	for _, tc := range []struct{ name, data, format string }{
		{"object", header + "o:\x0bObject\x00", "ruby marshal"},
		{"object in an array", header + "[\x06o:\x0bObject\x00", "ruby marshal"},
		{"regular expression", header + "I/\x06a\x00\x06:\x06EF", "ruby marshal"},
		{"array within itself", header + "[\x06@\x00", "ruby marshal"},
		{"array twice", header + "[\x07[\x00@\x06", "ruby marshal"},
		{"string with a variable", header + "I\"\x06a\x06:\x07@xi\x06", "ruby marshal"},
		{"keys that collide", header + "{\x07:\x06ai\x06I\"\x06a\x06:\x06ETi\x07", "ruby marshal"},
		{"key that is an array", header + "{\x06[\x00i\x06", "ruby marshal"},
		{"MessagePack", "\x81\xa1a\x01", "unknown serializer"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var v any
			var object *codec.ObjectError
			err := dalli.Codec{}.Decode([]byte(tc.data), dalli.FlagSerialized, &v)
			if !errors.As(err, &object) || object.Format != tc.format || string(object.Data) != tc.data || v != nil {
				t.Errorf("Decode = %v, %v, want an ObjectError of %s", v, err, tc.format)
			}
			loaded := dalli.Codec{Load: func(b []byte) (any, error) { return len(b), nil }}
			if err := loaded.Decode([]byte(tc.data), dalli.FlagSerialized, &v); err != nil || v != len(tc.data) {
				t.Errorf("Decode with Load = %v, %v, want %d", v, err, len(tc.data))
			}
		})
	}
	failed := errors.New("no")
	err := dalli.Codec{Load: func([]byte) (any, error) { return nil, failed }}.Decode([]byte("?"), 1, new(any))
	if !errors.Is(err, failed) {
		t.Errorf("Decode = %v, want the error of Load", err)
	}
}

func TestDecode_CorruptValues(t *testing.T) {
	const header = "\x04\x08"
	for _, tc := range []struct {
		name, data string
		flags      uint32
		want       error
	}{
		{"empty marshal", header, 1, codec.ErrCorrupt},
		{"more than one value", header + "00", 1, codec.ErrCorrupt},
		{"unknown kind", header + "?", 1, codec.ErrCorrupt},
		{"cut string", header + "\"\x0fabc", 1, codec.ErrCorrupt},
		{"negative length", header + "\"\xfaabc", 1, codec.ErrCorrupt},
		{"array longer than the data", header + "[\x04\xff\xff\xff\x3f0", 1, codec.ErrCorrupt},
		{"hash longer than the data", header + "{\x04\xff\xff\xff\x3f00", 1, codec.ErrCorrupt},
		{"symbol that was not", header + ";\x06", 1, codec.ErrCorrupt},
		{"object that was not", header + "@\x06", 1, codec.ErrCorrupt},
		{"number of 32 bits", header + "i\x04\xff\xff\xff\xff", 1, codec.ErrCorrupt},
		{"float that is none", header + "f\x08abc", 1, codec.ErrCorrupt},
		{"bignum without a sign", header + "l?\x06ab", 1, codec.ErrCorrupt},
		{"nested too deep", header + strings.Repeat("[\x06", 200) + "0", 1, codec.ErrTooLarge},
		{"too many elements", header + "[\x03\x00\x00\x20" + strings.Repeat("0", 1<<21), 1, codec.ErrTooLarge},
		{"too many elements, nested", header + strings.Repeat("[\x03\x00\x00\x08", 50) + strings.Repeat("0", 1<<20), 1, codec.ErrTooLarge},
		{"too many pairs, nested", header + strings.Repeat("{\x03\x00\x00\x08i\x00", 50) + strings.Repeat("0", 1<<21), 1, codec.ErrTooLarge},
		{"long string, often", header + "[\x02\x10\x27\"\x03\x00\x00\x10" + strings.Repeat("a", 1<<20) + strings.Repeat("@\x06", 9999), 1, codec.ErrTooLarge},
		{"not zlib", "\xff\xfe", 2, codec.ErrCorrupt},
		{"cut gzip", "\x1f\x8b\x08\x00", 2, codec.ErrCorrupt},
		{"flags of others", "x", 8, codec.ErrFlags},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var v any
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := dalli.Codec{}.Decode([]byte(tc.data), tc.flags, &v)
			runtime.ReadMemStats(&after)
			if !errors.Is(err, tc.want) || v != nil {
				t.Errorf("Decode = %.40v, %v, want %v", v, err, tc.want)
			}
			if cost := after.TotalAlloc - before.TotalAlloc; cost > 2*codec.MaxSize {
				t.Errorf("Decode of %d bytes allocated %d", len(tc.data), cost)
			}
		})
	}
}

func TestDecode_IntoTypesThatFit(t *testing.T) {
	const list = "\x04\x08[\x07i\x06i\x07"
	var ints []int
	if err := (dalli.Codec{}).Decode([]byte(list), 1, &ints); err != nil || !reflect.DeepEqual(ints, []int{1, 2}) {
		t.Errorf("Decode = %v, %v", ints, err)
	}
	for _, v := range []any{new([]bool), new(int), new(map[string]int), new(struct{}), nil, 1} {
		if err := (dalli.Codec{}).Decode([]byte(list), 1, v); !errors.Is(err, codec.ErrType) {
			t.Errorf("Decode into %T = %v, want ErrType", v, err)
		}
	}
	type user struct{ Name string }
	var u user
	if err := (dalli.Codec{}).Decode([]byte(`{"Name":"Ada"}`), 1, &u); err != nil || u.Name != "Ada" {
		t.Errorf("Decode of JSON = %v, %v", u, err)
	}
	if err := (dalli.Codec{}).Decode([]byte(`{"Name":1}`), 1, &u); !errors.Is(err, codec.ErrType) {
		t.Errorf("Decode of other JSON = %v, want ErrType", err)
	}
}

func TestDecode_BombIsRefused(t *testing.T) {
	for _, gzip := range []bool{false, true} {
		data, flags, err := dalli.Codec{Serializer: dalli.Raw, Gzip: gzip}.Encode(make([]byte, 1<<20))
		if err != nil || flags != dalli.FlagCompressed {
			t.Fatalf("Encode gave flags %d, %v", flags, err)
		}
		if err := (dalli.Codec{MaxSize: 1<<20 - 1}).Decode(data, flags, new([]byte)); !errors.Is(err, codec.ErrTooLarge) {
			t.Errorf("Decode = %v, want ErrTooLarge", err)
		}
		if err := (dalli.Codec{MaxSize: 1 << 20}).Decode(data, flags, new([]byte)); err != nil {
			t.Errorf("Decode of exactly MaxSize: %v", err)
		}
	}
}
