package phpmemcached_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/phpmemcached"
)

func TestEncode_RoundTrip(t *testing.T) {
	type name string
	for _, c := range []phpmemcached.Codec{{}, {CompressAbove: 1}, {CompressAbove: -1, UserFlags: 65535}, {Serializer: phpmemcached.JSON}} {
		for _, v := range []any{
			"", "héllo", "\xff not UTF-8",
			[]byte{},
			[]byte{0, 255},
			name("named"), true, false,
			0, -1, int64(math.MaxInt64), int64(math.MinInt64), int8(-1), uint16(65535), uint64(math.MaxInt64),
			3.5, float32(0.25), math.Inf(-1), 1e300, 5e-324,
			[]string{"a", "b"},
			[]any{},
			[]any{nil, "x", []any{true}},
			[]float64{1.5, -2},
			map[string]int{"b": 2, "a": 1},
			map[string]any{},
			map[string]int{"0": 1, "1": 2},
			map[string]any{"1": "int key", "01": "string key"},
			map[name][]int{"k": {1, 2}},
			strings.Repeat("compressible ", 1000), bytes.Repeat([]byte{1}, 10_000), strings.Split(strings.Repeat("a,", 3000), ","),
		} {
			data, flags, err := c.Encode(v)
			if err != nil || flags&0xffff > 54 || phpmemcached.UserFlags(flags) != c.UserFlags {
				t.Errorf("Encode(%.40v) gave flags %#x, %v", v, flags, err)
				continue
			}
			out := reflect.New(reflect.TypeOf(v))
			if err := c.Decode(data, flags, out.Interface()); err != nil || !reflect.DeepEqual(out.Elem().Interface(), v) {
				t.Errorf("Encode(%#.40v) = %.60q is read as %#.40v, %v", v, data, out.Elem(), err)
			}
		}
	}
}

func TestEncode_WhatPHPCannotHoldIsRefused(t *testing.T) {
	endless := map[string]any{}
	endless["again"] = endless
	for _, tc := range []struct {
		serializer phpmemcached.Serializer
		v          any
	}{
		{phpmemcached.PHP, uint64(math.MaxInt64) + 1},
		{phpmemcached.PHP, big.NewInt(1)},
		{phpmemcached.PHP, struct{}{}},
		{phpmemcached.PHP, map[int]int{1: 2}},
		{phpmemcached.PHP, []any{new(int)}},
		{phpmemcached.PHP, endless},
		{phpmemcached.JSON, make(chan int)},
	} {
		if _, _, err := (phpmemcached.Codec{Serializer: tc.serializer}).Encode(tc.v); !errors.Is(err, codec.ErrType) {
			t.Errorf("Encode(%T) = %v, want ErrType", tc.v, err)
		}
	}
	if _, _, err := (phpmemcached.Codec{Serializer: 9}).Encode(nil); err == nil {
		t.Error("Encode with an unknown serializer succeeded")
	}
}

func TestEncode_CompressesFromTheThresholdWhenItSavesEnough(t *testing.T) {
	const compressed = phpmemcached.FlagCompressed | phpmemcached.FlagZlib
	for _, tc := range []struct {
		name  string
		codec phpmemcached.Codec
		v     any
		flags uint32
	}{
		{"below", phpmemcached.Codec{}, strings.Repeat("a", 1999), 0},
		{"from the threshold", phpmemcached.Codec{}, strings.Repeat("a", 2000), compressed},
		{"never", phpmemcached.Codec{CompressAbove: -1}, strings.Repeat("a", 2000), 0},
		{"array", phpmemcached.Codec{CompressAbove: 10}, make([]int, 100), compressed | phpmemcached.TypeSerialized},
		{"number", phpmemcached.Codec{CompressAbove: 1}, int64(1e18), phpmemcached.TypeLong},
		{"too little saved for 4 bytes more", phpmemcached.Codec{CompressAbove: 1}, "aaaaaaaaaaaaaa", 0},
		{"above what could be read back", phpmemcached.Codec{MaxSize: 2000}, strings.Repeat("a", 2001), 0},
	} {
		if _, flags, err := tc.codec.Encode(tc.v); err != nil || flags != tc.flags {
			t.Errorf("%s: Encode gave flags %d, %v, want %d", tc.name, flags, err, tc.flags)
		}
	}
}

// stated puts the size that a compressed value states in front of it.
func stated(size int, data []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(size)), data...)
}

func TestDecode_Zstd(t *testing.T) {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	plain := strings.Repeat("abc ", 1000)
	frame := w.EncodeAll([]byte(plain), nil)
	flags := phpmemcached.FlagCompressed | phpmemcached.FlagZstd
	var s string
	if err := (phpmemcached.Codec{}).Decode(stated(len(plain), frame), flags, &s); err != nil || s != plain {
		t.Errorf("Decode gave %d bytes, %v", len(s), err)
	}
	for _, size := range []int{0, len(plain) - 1, len(plain) + 1} {
		if err := (phpmemcached.Codec{}).Decode(stated(size, frame), flags, &s); !errors.Is(err, codec.ErrCorrupt) {
			t.Errorf("Decode of %d bytes that state %d = %v, want ErrCorrupt", len(plain), size, err)
		}
	}
}

func TestDecode_FastLZ(t *testing.T) {
	flags := phpmemcached.FlagCompressed | phpmemcached.FlagFastLZ
	for _, tc := range []struct{ name, data, want string }{
		{"literals", "\x02abc", "abc"},
		{"short match", "\x02abc\x20\x02", "abcabc"},
		{"run", "\x00a\xe0\x01\x00", "a" + strings.Repeat("a", 10)},
		{"literals behind a match", "\x02abc\x20\x02\x01xy", "abcabcxy"},
		{"level 2, long run", "\x20a\xe0\xff\x01\x00", "a" + strings.Repeat("a", 7+255+1+2)},
		{"level 2, literals", "\x22abc", "abc"},
	} {
		var s string
		if err := (phpmemcached.Codec{}).Decode(stated(len(tc.want), []byte(tc.data)), flags, &s); err != nil || s != tc.want {
			t.Errorf("%s: Decode = %q, %v, want %q", tc.name, s, err, tc.want)
		}
	}
	for _, tc := range []struct {
		name, data string
		size       int
	}{
		{"empty", "", 0},
		{"level 3", "\x42abc", 3},
		{"literals missing", "\x05abc", 6},
		{"more literals than stated", "\x02abc", 2},
		{"fewer than stated", "\x02abc", 4},
		{"match before the beginning", "\x02abc\x20\x03", 6},
		{"match longer than stated", "\x02abc\x20\x02", 5},
		{"match without distance", "\x02abc\x20", 6},
		{"match without length", "\x02abc\xe0", 12},
		{"match with length, without distance", "\x02abc\xe0\x01", 12},
		{"far match without distance", "\x22abc\x3f\xff\x01", 6},
		{"far match before the beginning", "\x22abc\x3f\xff\x00\x00", 6},
		{"endless length", "\x22abc\xe0" + strings.Repeat("\xff", 100), 1000},
	} {
		var s string
		if err := (phpmemcached.Codec{}).Decode(stated(tc.size, []byte(tc.data)), flags, &s); !errors.Is(err, codec.ErrCorrupt) || s != "" {
			t.Errorf("%s: Decode = %q, %v, want ErrCorrupt", tc.name, s, err)
		}
	}
}

func TestDecode_FastLZFarMatch(t *testing.T) {
	// 8300 bytes of literals, then a match of 5 bytes 8300 back: beyond 13 bits.
	var data []byte
	plain := make([]byte, 0, 8305)
	for len(plain) < 8300 {
		n := min(32, 8300-len(plain))
		data = append(data, byte(n-1))
		for range n {
			plain = append(plain, byte(len(plain)*31>>4))
			data = append(data, plain[len(plain)-1])
		}
	}
	data[0] |= 1 << 5
	data = append(data, 3<<5|31, 255, byte((8300-8192)>>8), byte(8300-8192))
	plain = append(plain, plain[:5]...)
	var got []byte
	err := phpmemcached.Codec{}.Decode(stated(len(plain), data), phpmemcached.FlagCompressed|phpmemcached.FlagFastLZ, &got)
	if err != nil || !bytes.Equal(got, plain) {
		t.Errorf("Decode gave %d bytes, %v, want %d as packed", len(got), err, len(plain))
	}
}

func TestDecode_CorruptValues(t *testing.T) {
	zipped, flags, err := phpmemcached.Codec{}.Encode(strings.Repeat("abc ", 1000))
	if err != nil || flags != phpmemcached.FlagCompressed|phpmemcached.FlagZlib {
		t.Fatalf("Encode gave flags %d, %v", flags, err)
	}
	const ser = phpmemcached.TypeSerialized
	deep := strings.Repeat("a:1:{i:0;", 200) + "N;" + strings.Repeat("}", 200)
	for _, tc := range []struct {
		name, data string
		flags      uint32
		want       error
	}{
		{"int", "4x", phpmemcached.TypeLong, codec.ErrCorrupt},
		{"no int", "", phpmemcached.TypeLong, codec.ErrCorrupt},
		{"float", "1.2.3", phpmemcached.TypeDouble, codec.ErrCorrupt},
		{"JSON", "{", phpmemcached.TypeJSON, codec.ErrCorrupt},
		{"no size", "abc", flags, codec.ErrCorrupt},
		{"size too small", "\x01" + string(zipped[1:]), flags, codec.ErrCorrupt},
		{"size too large", "\xff" + string(zipped[1:]), flags, codec.ErrCorrupt},
		{"size above the limit", string(stated(codec.MaxSize+1, zipped[4:])), flags, codec.ErrTooLarge},
		{"cut zlib", string(zipped[:len(zipped)-1]), flags, codec.ErrCorrupt},
		{"compressed somehow", string(zipped), phpmemcached.FlagCompressed, codec.ErrFlags},
		{"unknown type", "x", 8, codec.ErrFlags},
		{"unknown internal flag", "x", 1 << 8, codec.ErrFlags},
		{"empty serialized", "", ser, codec.ErrCorrupt},
		{"unknown kind", "z:1;", ser, codec.ErrCorrupt},
		{"two values", "N;N;", ser, codec.ErrCorrupt},
		{"bool", "b:2;", ser, codec.ErrCorrupt},
		{"serialized int", "i:x;", ser, codec.ErrCorrupt},
		{"int without end", "i:1", ser, codec.ErrCorrupt},
		{"serialized float", "d:x;", ser, codec.ErrCorrupt},
		{"negative length", `s:-1:"";`, ser, codec.ErrCorrupt},
		{"length too large", `s:9:"abc";`, ser, codec.ErrCorrupt},
		{"length too small", `s:2:"abc";`, ser, codec.ErrCorrupt},
		{"huge length", `s:9223372036854775807:"abc";`, ser, codec.ErrCorrupt},
		{"array without end", "a:1:{i:0;N;", ser, codec.ErrCorrupt},
		{"array of more than there is", "a:1000000:{i:0;N;}", ser, codec.ErrCorrupt},
		{"negative array", "a:-1:{}", ser, codec.ErrCorrupt},
		{"key that is a float", "a:1:{d:0;N;}", ser, codec.ErrCorrupt},
		{"nested too deep", deep, ser, codec.ErrTooLarge},
		{"too many elements", "a:1100000:{" + strings.Repeat("i:0;N;", 1100000) + "}", ser, codec.ErrTooLarge},
		{"too many elements, nested", strings.Repeat("a:900000:{i:0;", 50) + strings.Repeat("i:0;N;", 1000000), ser, codec.ErrTooLarge},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var v any
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := phpmemcached.Codec{}.Decode([]byte(tc.data), tc.flags, &v)
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

func TestDecode_WhatIsNotData(t *testing.T) {
	for _, data := range []string{
		`O:8:"stdClass":0:{}`, `a:1:{i:0;O:8:"stdClass":0:{}}`, `C:3:"Foo":0:{}`, `E:7:"Foo:Bar";`,
		`a:2:{i:0;i:1;i:1;R:2;}`, `S:1:"\61";`,
	} {
		var v any
		var object *codec.ObjectError
		err := phpmemcached.Codec{}.Decode([]byte(data), phpmemcached.TypeSerialized, &v)
		if !errors.As(err, &object) || object.Format != "php serialize" || string(object.Data) != data || v != nil {
			t.Errorf("Decode(%q) = %v, %v, want an ObjectError", data, v, err)
		}
	}
	failed := errors.New("no")
	c := phpmemcached.Codec{Unserialize: func(format string, data []byte) (any, error) {
		if format == "msgpack" {
			return nil, failed
		}
		return format + " " + string(data), nil
	}}
	var s string
	object := "\x00\x00\x00\x02\x17\x01E\x14\x00"
	if err := c.Decode([]byte(object), phpmemcached.TypeIgbinary, &s); err != nil || s != "igbinary "+object {
		t.Errorf("Decode = %q, %v", s, err)
	}
	if err := c.Decode([]byte("O:"), phpmemcached.TypeSerialized, &s); err != nil || s != "php serialize O:" {
		t.Errorf("Decode = %q, %v", s, err)
	}
	if err := c.Decode([]byte("\x81\xc0\xa1E"), phpmemcached.TypeMsgpack, &s); !errors.Is(err, failed) {
		t.Errorf("Decode = %v, want the hook's error", err)
	}
}

func TestDecode_KeysAreThoseOfPHP(t *testing.T) {
	var v any
	err := phpmemcached.Codec{}.Decode([]byte(`a:3:{i:1;s:1:"a";s:1:"1";s:1:"b";i:0;N;}`), phpmemcached.TypeSerialized, &v)
	if want := (map[string]any{"1": "b", "0": nil}); err != nil || !reflect.DeepEqual(v, want) {
		t.Errorf("Decode = %v, %v, want %v", v, err, want)
	}
	data, _, err := phpmemcached.Codec{}.Encode(map[string]int{"7": 1, "07": 2, "-0": 3, "9223372036854775808": 4})
	if want := `a:4:{s:2:"-0";i:3;s:2:"07";i:2;i:7;i:1;s:19:"9223372036854775808";i:4;}`; err != nil || string(data) != want {
		t.Errorf("Encode = %s, %v, want %s", data, err, want)
	}
}

func TestDecode_IntoTypesThatFit(t *testing.T) {
	var b []byte
	if err := (phpmemcached.Codec{}).Decode([]byte("abc"), phpmemcached.TypeString, &b); err != nil || string(b) != "abc" {
		t.Errorf("Decode = %q, %v", b, err)
	}
	var u uint64
	if err := (phpmemcached.Codec{}).Decode([]byte("18446744073709551615"), phpmemcached.TypeLong, &u); err != nil || u != math.MaxUint64 {
		t.Errorf("Decode of a counter = %d, %v", u, err)
	}
	var lists map[string][]int
	nested := `a:2:{i:0;a:0:{}i:1;a:1:{i:0;i:5;}}`
	if err := (phpmemcached.Codec{}).Decode([]byte(nested), phpmemcached.TypeSerialized, &lists); err != nil || !reflect.DeepEqual(lists, map[string][]int{"0": {}, "1": {5}}) {
		t.Errorf("Decode of nested arrays = %v, %v", lists, err)
	}
	var anys []any
	if err := (phpmemcached.Codec{}).Decode([]byte(nested), phpmemcached.TypeSerialized, &anys); err != nil || !reflect.DeepEqual(anys, []any{[]any{}, []any{int64(5)}}) {
		t.Errorf("Decode of nested arrays = %#v, %v", anys, err)
	}
	if err := (phpmemcached.Codec{}).Decode([]byte("a:1:{i:1;N;}"), phpmemcached.TypeSerialized, &anys); !errors.Is(err, codec.ErrType) {
		t.Errorf("Decode of a map into a slice = %v, want ErrType", err)
	}
	var n int
	if err := (phpmemcached.Codec{}).Decode([]byte("9 "), phpmemcached.TypeLong, &n); err != nil || n != 9 {
		t.Errorf("Decode of a padded counter = %d, %v", n, err)
	}
	if err := (phpmemcached.Codec{}).Decode([]byte("9"), phpmemcached.TypeString, &n); err != nil || n != 9 {
		t.Errorf("Decode of a number in a string = %d, %v", n, err)
	}
	for _, v := range []any{new(bool), new(struct{}), nil, n} {
		if err := (phpmemcached.Codec{}).Decode([]byte("a:1:{i:0;N;}"), phpmemcached.TypeSerialized, v); !errors.Is(err, codec.ErrType) {
			t.Errorf("Decode of an array into %T = %v, want ErrType", v, err)
		}
	}
}
