package phpmemcached_test

import (
	"encoding/hex"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/phpmemcached"
)

// formats are the values of PHP 8.4 in igbinary 3.2.16, after its header, and in
// msgpack 3.0.0.
var formats = []struct {
	name              string
	igbinary, msgpack string // hex
	want              any
}{
	{"null", "00", "c0", nil},
	{"bool", "140206000506010 4", "92c3c2", []any{true, false}},
	{
		"int",
		"140f 06000600 06010601 060206ff 06030801 00 060408ffff 06050a00010000 06060affffffff 0607200000000100000000 0608207fffffffffffffff 06090701 060a07ff 060b090100 060c0b00010000 060d210000000100000001 060e218000000000000000",
		"9f 00 01 ccff cd0100 cdffff ce00010000 ceffffffff cf0000000100000000 cf7fffffffffffffff ff d1ff01 d1ff00 d2ffff0000 d3fffffffeffffffff d38000000000000000",
		[]any{int64(0), int64(1), int64(255), int64(256), int64(65535), int64(65536), int64(math.MaxUint32), int64(1 << 32), int64(math.MaxInt64), int64(-1), int64(-255), int64(-256), int64(-65536), int64(-4294967297), int64(math.MinInt64)},
	},
	{"small int", "1403 06000720 06010721 06020780", "93e0d0dfd080", []any{int64(-32), int64(-33), int64(-128)}},
	{"float", "1403 06000c400c000000000000 06010cd4b249ad2594c37d 06020c7ff0000000000000", "93 cb400c000000000000 cbd4b249ad2594c37d cb7ff0000000000000", []any{3.5, -1e100, math.Inf(1)}},
	{"string", "1405 06000d 0601110161 06020e00 0603110668c3a96c6c6f 06040d", "95a0a161a161a668c3a96c6c6fa0", []any{"", "a", "a", "héllo", ""}},
	{"keys", "1405 1101610601 0d0602 06050603 07070604 110230380605", "85a16101a0020503f904a2303805", map[string]any{"a": int64(1), "": int64(2), "5": int64(3), "-7": int64(4), "08": int64(5)}},
	{"an array twice", "1402 06001402060006010601060 2 06010101", "92920102920102", []any{[]any{int64(1), int64(2)}, []any{int64(1), int64(2)}}},
	{"empty arrays", "14020600140006010101", "929090", []any{[]any{}, []any{}}},
	{
		"a map in a map twice", "1403 06001402 110178 11027979 110179 1401 0e00 0e01 06010101 06020102",
		"9382a178a27979a17981a178a2797982a178a27979a17981a178a2797981a178a27979",
		[]any{
			map[string]any{"x": "yy", "y": map[string]any{"x": "yy"}},
			map[string]any{"x": "yy", "y": map[string]any{"x": "yy"}},
			map[string]any{"x": "yy"},
		},
	},
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestFormats_AreRead(t *testing.T) {
	for _, tc := range formats {
		for flags, data := range map[uint32][]byte{
			phpmemcached.TypeIgbinary: unhex(t, "00000002"+tc.igbinary),
			phpmemcached.TypeMsgpack:  unhex(t, tc.msgpack),
		} {
			var got any
			if err := (phpmemcached.Codec{}).Decode(data, flags, &got); err != nil || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("%s, flags %d: Decode = %#v, %v, want %#v", tc.name, flags, got, err, tc.want)
			}
			for cut := range data {
				if err := (phpmemcached.Codec{}).Decode(data[:cut], flags, &got); !errors.Is(err, codec.ErrCorrupt) {
					t.Errorf("%s, flags %d: Decode of %d of %d bytes = %v, want ErrCorrupt", tc.name, flags, cut, len(data), err)
				}
			}
			if err := (phpmemcached.Codec{}).Decode(append(data, 0), flags, &got); !errors.Is(err, codec.ErrCorrupt) {
				t.Errorf("%s, flags %d: Decode with a byte more = %v, want ErrCorrupt", tc.name, flags, err)
			}
		}
	}
}

func TestFormats_WhatIsNotDataIsNamed(t *testing.T) {
	igbinary := func(text string) []byte { return unhex(t, "00000002"+text) }
	for name, data := range map[string][]byte{
		"an object":            igbinary("1402 06001708737464436c6173731401110161060106012201"),
		"an enum":              igbinary("17014527110141"),
		"references":           igbinary("1402 0600250601 0601250101"),
		"an array in itself":   igbinary("1402 06000601 060125140206000601 0601250101"),
		"msgpack: an object":   unhex(t, "9282c0a8737464436c617373a1610182c0040002"),
		"msgpack: a timestamp": unhex(t, "d6ff00000000"),
	} {
		flags := phpmemcached.TypeIgbinary
		format := "igbinary"
		if strings.HasPrefix(name, "msgpack") {
			flags, format = phpmemcached.TypeMsgpack, "msgpack"
		}
		var v any
		var object *codec.ObjectError
		err := phpmemcached.Codec{}.Decode(data, flags, &v)
		if !errors.As(err, &object) || object.Format != format || !reflect.DeepEqual(object.Data, data) || v != nil {
			t.Errorf("%s: Decode = %v, %v, want an ObjectError", name, v, err)
		}
	}
}

func TestFormats_CorruptValuesAreNamed(t *testing.T) {
	for name, tc := range map[string]struct {
		data  string
		flags uint32
	}{
		"igbinary: version 3":               {"0000000300", phpmemcached.TypeIgbinary},
		"igbinary: an unknown type":         {"0000000228", phpmemcached.TypeIgbinary},
		"igbinary: a string that was not":   {"000000020e00", phpmemcached.TypeIgbinary},
		"igbinary: an array that was not":   {"000000020100", phpmemcached.TypeIgbinary},
		"igbinary: an array in itself":      {"00000002 1401 0600 0100", phpmemcached.TypeIgbinary},
		"igbinary: a key that is a bool":    {"00000002 1401 0500", phpmemcached.TypeIgbinary},
		"igbinary: above an int":            {"00000002 208000000000000000", phpmemcached.TypeIgbinary},
		"igbinary: below an int":            {"00000002 218000000000000001", phpmemcached.TypeIgbinary},
		"igbinary: a length of 4 GB":        {"00000002 13ffffffff61", phpmemcached.TypeIgbinary},
		"igbinary: an array of 4 G":         {"00000002 16ffffffff0600", phpmemcached.TypeIgbinary},
		"MessagePack: never used":           {"c1", phpmemcached.TypeMsgpack},
		"MessagePack: a key that is a bool": {"81c300", phpmemcached.TypeMsgpack},
		"MessagePack: above an int":         {"cf8000000000000000", phpmemcached.TypeMsgpack},
		"MessagePack: a length of 4 GB":     {"dbffffffff61", phpmemcached.TypeMsgpack},
		"MessagePack: an array of 4 G":      {"ddffffffff00", phpmemcached.TypeMsgpack},
		"MessagePack: a map of 4 G":         {"dfffffffff0000", phpmemcached.TypeMsgpack},
	} {
		var v any
		if err := (phpmemcached.Codec{}).Decode(unhex(t, tc.data), tc.flags, &v); !errors.Is(err, codec.ErrCorrupt) || v != nil {
			t.Errorf("%s: Decode = %v, %v, want ErrCorrupt", name, v, err)
		}
	}
}

// TestFormats_MsgpackOfOthers is what PHP's extension does not write.
func TestFormats_MsgpackOfOthers(t *testing.T) {
	for text, want := range map[string]any{
		"ca40600000":              3.5,
		"d9026162":                "ab",
		"da00026162":              "ab",
		"db000000026162":          "ab",
		"c4026162":                "ab",
		"c500026162":              "ab",
		"c6000000026162":          "ab",
		"dd0000000101":            []any{int64(1)},
		"de0001a16101":            map[string]any{"a": int64(1)},
		"df00000001a16101":        map[string]any{"a": int64(1)},
		"820001 0102":             []any{int64(1), int64(2)}, // PHP's keys count from 0
		"d3ffffffffffffffff":      int64(-1),
		"82 a16101 a1610 2":       map[string]any{"a": int64(2)},
		"93 d2ffffffff d1fffe e0": []any{int64(-1), int64(-2), int64(-32)},
	} {
		var got any
		if err := (phpmemcached.Codec{}).Decode(unhex(t, text), phpmemcached.TypeMsgpack, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: Decode = %#v, %v, want %#v", text, got, err, want)
		}
	}
}
