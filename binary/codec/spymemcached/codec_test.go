package spymemcached_test

import (
	"errors"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/spymemcached"
)

func TestEncode_TypesOfJava(t *testing.T) {
	type level int32
	for _, tc := range []struct {
		v     any
		flags uint32
	}{
		{int8(-1), spymemcached.FlagByte},
		{uint8(255), spymemcached.FlagInteger},
		{int16(-300), spymemcached.FlagInteger},
		{uint16(65535), spymemcached.FlagInteger},
		{int32(1 << 30), spymemcached.FlagInteger},
		{level(3), spymemcached.FlagInteger},
		{uint32(math.MaxUint32), spymemcached.FlagLong},
		{-5, spymemcached.FlagLong},
		{uint(5), spymemcached.FlagLong},
		{uint64(math.MaxInt64), spymemcached.FlagLong},
		{time.Hour, spymemcached.FlagLong},
		{float32(math.SmallestNonzeroFloat32), spymemcached.FlagFloat},
		{math.MaxFloat64, spymemcached.FlagDouble},
		{true, spymemcached.FlagBoolean},
		{"", 0},
		{[]byte{0}, spymemcached.FlagBytes},
		{time.UnixMilli(1).UTC(), spymemcached.FlagDate},
	} {
		data, flags, err := spymemcached.Codec{}.Encode(tc.v)
		if err != nil || flags != tc.flags {
			t.Errorf("Encode(%T %v) gave flags %#x, %v, want %#x", tc.v, tc.v, flags, err, tc.flags)
			continue
		}
		out := reflect.New(reflect.TypeOf(tc.v))
		if err := (spymemcached.Codec{}).Decode(data, flags, out.Interface()); err != nil || !reflect.DeepEqual(out.Elem().Interface(), tc.v) {
			t.Errorf("Encode(%T %v) is read as %v, %v", tc.v, tc.v, out.Elem(), err)
		}
	}
	for _, v := range []any{nil, uint64(math.MaxInt64) + 1, big.NewInt(1), "\xff", []int{1}, struct{}{}, new(int)} {
		if _, _, err := (spymemcached.Codec{}).Encode(v); !errors.Is(err, codec.ErrType) {
			t.Errorf("Encode(%T) = %v, want ErrType", v, err)
		}
	}
}

func TestEncode_CompressesLikeJava(t *testing.T) {
	for _, tc := range []struct {
		name  string
		codec spymemcached.Codec
		v     any
		flags uint32
	}{
		{"at the threshold", spymemcached.Codec{}, strings.Repeat("a", 16384), 0},
		{"above", spymemcached.Codec{}, strings.Repeat("a", 16385), 2},
		{"bytes", spymemcached.Codec{}, make([]byte, 16385), 0x802},
		{"never", spymemcached.Codec{CompressAbove: -1}, strings.Repeat("a", 16385), 0},
		{"JSON object", spymemcached.Codec{}, "{" + strings.Repeat(" ", 20000) + "}", 0},
		{"JSON array", spymemcached.Codec{}, "[" + strings.Repeat(" ", 20000) + "]", 0},
		{"digits", spymemcached.Codec{}, "-" + strings.Repeat("1", 20000), 0},
		{"JSON in bytes", spymemcached.Codec{}, []byte("{" + strings.Repeat(" ", 20000) + "}"), 0x802},
		{"above what could be read back", spymemcached.Codec{MaxSize: 20000}, strings.Repeat("a", 20001), 0},
	} {
		if _, flags, err := tc.codec.Encode(tc.v); err != nil || flags != tc.flags {
			t.Errorf("%s: Encode gave flags %#x, %v, want %#x", tc.name, flags, err, tc.flags)
		}
	}
}

func TestDecode_IntoTypesThatFit(t *testing.T) {
	for _, tc := range []struct {
		data  string
		flags uint32
		into  any
		want  any // nil: ErrType
	}{
		{"*", spymemcached.FlagInteger, new(int), 42},
		{"*", spymemcached.FlagInteger, new(uint64), uint64(42)},
		{"*", spymemcached.FlagLong, new(int8), int8(42)},
		{"\x01\x00", spymemcached.FlagLong, new(int8), nil},
		{"*", spymemcached.FlagLong, new(string), "42"},
		{"10", 0, new(int), 10}, // a counter that the server created
		{"9 ", 0, new(int64), int64(9)},
		{"@`\x00\x00", spymemcached.FlagFloat, new(float64), 3.5},
		{"@`\x00\x00", spymemcached.FlagFloat, new(int), nil},
		{"1", spymemcached.FlagBoolean, new(bool), true},
		{"1", spymemcached.FlagBoolean, new(int), nil},
		{"\x01", spymemcached.FlagDate, new(time.Time), time.UnixMilli(1).UTC()},
		{"\x01", spymemcached.FlagDate, new(string), nil},
		{"a", spymemcached.FlagBytes, new(string), "a"},
		{"a", 0, nil, nil},
	} {
		err := spymemcached.Codec{}.Decode([]byte(tc.data), tc.flags, tc.into)
		if tc.want == nil {
			if !errors.Is(err, codec.ErrType) {
				t.Errorf("Decode(%q, %#x) into %T = %v, want ErrType", tc.data, tc.flags, tc.into, err)
			}
			continue
		}
		if got := reflect.ValueOf(tc.into).Elem().Interface(); err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("Decode(%q, %#x) into %T = %v, %v, want %v", tc.data, tc.flags, tc.into, got, err, tc.want)
		}
	}
}

func TestDecode_CorruptValues(t *testing.T) {
	for _, tc := range []struct {
		name, data string
		flags      uint32
		want       error
	}{
		{"integer of five bytes", "12345", spymemcached.FlagInteger, codec.ErrCorrupt},
		{"long of nine bytes", "123456789", spymemcached.FlagLong, codec.ErrCorrupt},
		{"byte of two", "12", spymemcached.FlagByte, codec.ErrCorrupt},
		{"boolean of none", "", spymemcached.FlagBoolean, codec.ErrCorrupt},
		{"not gzip", "plain", spymemcached.FlagCompressed, codec.ErrCorrupt},
		{"Whalin's string", "text", 32, codec.ErrFlags},
		{"Whalin's boolean", "\x01", 8192, codec.ErrFlags},
		{"unknown type", "x", 9 << 8, codec.ErrFlags},
		{"flags of others", "x", 1 << 16, codec.ErrFlags},
	} {
		var v any
		if err := (spymemcached.Codec{}).Decode([]byte(tc.data), tc.flags, &v); !errors.Is(err, tc.want) || v != nil {
			t.Errorf("%s: Decode = %v, %v, want %v", tc.name, v, err, tc.want)
		}
	}
}

func TestDecode_BombIsRefused(t *testing.T) {
	data, flags, err := spymemcached.Codec{}.Encode(make([]byte, 1<<20))
	if err != nil || flags != 0x802 {
		t.Fatalf("Encode gave flags %#x, %v", flags, err)
	}
	if err := (spymemcached.Codec{MaxSize: 1<<20 - 1}).Decode(data, flags, new([]byte)); !errors.Is(err, codec.ErrTooLarge) {
		t.Errorf("Decode = %v, want ErrTooLarge", err)
	}
	if err := (spymemcached.Codec{MaxSize: 1 << 20}).Decode(data, flags, new([]byte)); err != nil {
		t.Errorf("Decode of exactly MaxSize: %v", err)
	}
}

func TestDecode_Deserialize(t *testing.T) {
	failed := errors.New("no")
	c := spymemcached.Codec{Deserialize: func(b []byte) (any, error) {
		if string(b) == "bad" {
			return nil, failed
		}
		return string(b), nil
	}}
	var s string
	if err := c.Decode([]byte("good"), spymemcached.FlagSerialized, &s); err != nil || s != "good" {
		t.Errorf("Decode = %q, %v", s, err)
	}
	if err := c.Decode([]byte("bad"), spymemcached.FlagSerialized, &s); !errors.Is(err, failed) {
		t.Errorf("Decode = %v, want the hook's error", err)
	}
	if err := c.Decode([]byte("good"), spymemcached.FlagSerialized, new(bool)); !errors.Is(err, codec.ErrType) {
		t.Errorf("Decode into a bool = %v, want ErrType", err)
	}
}
