package nodememcached_test

import (
	"errors"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/nodememcached"
)

func TestDecode_IntoTypesThatFit(t *testing.T) {
	type user struct{ Name string }
	for _, tc := range []struct {
		data  string
		flags uint32
		into  any
		want  any
	}{
		{"42", nodememcached.FlagNumber, new(int), 42},
		{"9 ", nodememcached.FlagNumber, new(uint8), uint8(9)}, // counted down by the server
		{"3.5", nodememcached.FlagNumber, new(float64), 3.5},
		{"1e+21", nodememcached.FlagNumber, new(float64), 1e21},
		{"42", 0, new(int), 42}, // a counter that the server created
		{"a\\\nb", 0, new(string), "a\nb"},
		{"\xc3\xbf", nodememcached.FlagBinary, new(string), "\xff"},
		{`{"Name":"Ada"}`, nodememcached.FlagJSON, new(user), user{"Ada"}},
		{`[1,2]`, nodememcached.FlagJSON, new([]int), []int{1, 2}},
	} {
		if err := (nodememcached.Codec{}).Decode([]byte(tc.data), tc.flags, tc.into); err != nil || !reflect.DeepEqual(reflect.ValueOf(tc.into).Elem().Interface(), tc.want) {
			t.Errorf("Decode(%q) into %T = %v, %v, want %v", tc.data, tc.into, reflect.ValueOf(tc.into).Elem(), err, tc.want)
		}
	}
}

func TestDecode_CorruptValues(t *testing.T) {
	for _, tc := range []struct {
		name, data string
		flags      uint32
		want       error
	}{
		{"no number", "forty-two", nodememcached.FlagNumber, codec.ErrCorrupt},
		{"empty number", "", nodememcached.FlagNumber, codec.ErrCorrupt},
		{"endless number", strings.Repeat("9", 5000), nodememcached.FlagNumber, codec.ErrTooLarge},
		{"endless fraction", "1." + strings.Repeat("9", 5000), nodememcached.FlagNumber, codec.ErrTooLarge},
		{"no JSON", "{", nodememcached.FlagJSON, codec.ErrCorrupt},
		{"a character that is no byte", "Ā", nodememcached.FlagBinary, codec.ErrCorrupt},
		{"not UTF-8", "\xff", nodememcached.FlagBinary, codec.ErrCorrupt},
		{"flags of others", "x", 1, codec.ErrFlags},
		{"two flags", "1", nodememcached.FlagJSON | nodememcached.FlagNumber, codec.ErrFlags},
	} {
		var v any
		if err := (nodememcached.Codec{}).Decode([]byte(tc.data), tc.flags, &v); !errors.Is(err, tc.want) || v != nil {
			t.Errorf("%s: Decode = %v, %v, want %v", tc.name, v, err, tc.want)
		}
	}
}

func TestEncode_WhatJavaScriptCannotHold(t *testing.T) {
	for _, v := range []any{int64(1 << 53), int64(-1 << 53), uint64(1 << 63), new(big.Int).Lsh(big.NewInt(1), 100), "\xff", make(chan int)} {
		if _, _, err := (nodememcached.Codec{}).Encode(v); !errors.Is(err, codec.ErrType) {
			t.Errorf("Encode(%T %.20v) = %v, want ErrType", v, v, err)
		}
	}
	if _, _, err := (nodememcached.Codec{MaxElements: 6}).Encode([]int{1, 2, 3}); !errors.Is(err, codec.ErrTooLarge) {
		t.Errorf("Encode of too many elements = %v, want ErrTooLarge", err)
	}
}

func TestEncode_NamedTypes(t *testing.T) {
	type name string
	type count uint16
	for v, want := range map[any]uint32{name("x"): 0, count(7): nodememcached.FlagNumber, float32(0.5): nodememcached.FlagNumber} {
		if _, flags, err := (nodememcached.Codec{}).Encode(v); flags != want || err != nil {
			t.Errorf("Encode(%T) gave flags %d, %v, want %d", v, flags, err, want)
		}
	}
}
