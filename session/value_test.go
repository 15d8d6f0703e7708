package session

import (
	"encoding/gob"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

type account struct{ Name string }

func init() {
	gob.Register(account{})
	gob.Register(map[string]int{})
}

type unknown struct{ X int }

var someTime = time.Date(2024, 2, 29, 23, 59, 58, 123456789, time.FixedZone("", -5*3600))

func TestValue_ComesBackAsItWas(t *testing.T) {
	tests := map[string]any{
		"nil":              nil,
		"false":            false,
		"true":             true,
		"empty string":     "",
		"string":           "grüße\x00\xff",
		"int":              -42,
		"int64 above 2^53": int64(1<<53 + 1),
		"least int64":      int64(math.MinInt64),
		"uint64":           uint64(math.MaxUint64),
		"float64":          0.1,
		"infinity":         math.Inf(-1),
		"bytes":            []byte{0, 1, 255},
		"no bytes":         []byte{},
		"list":             []any{"a", 1, []any{nil, true}, []byte("b")},
		"empty list":       []any{},
		"int32":            int32(7),
		"strings":          []string{"a", "b"},
	}
	for codecName, codec := range map[string]Codec{"gob": gobCodec{}, "JSON": JSON{}} {
		for name, want := range tests {
			t.Run(codecName+"/"+name, func(t *testing.T) {
				encoded, err := appendValue(nil, want, codec, 0)
				if err != nil {
					t.Fatalf("appendValue(%v): %v", want, err)
				}
				got, err := decodeValue(string(encoded), codec, 0)
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("decodeValue = %#v, %v, want %#v", got, err, want)
				}
			})
		}
	}
}

func TestValue_TimeKeepsInstantAndOffset(t *testing.T) {
	for name, codec := range map[string]Codec{"gob": gobCodec{}, "JSON": JSON{}} {
		encoded, err := appendValue(nil, someTime, codec, 0)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeValue(string(encoded), codec, 0)
		if when, ok := got.(time.Time); err != nil || !ok || !when.Equal(someTime) || when.Format(time.RFC3339Nano) != someTime.Format(time.RFC3339Nano) {
			t.Errorf("%s: decodeValue = %v, %v, want %v", name, got, err, someTime)
		}
	}
}

func TestValue_NaN(t *testing.T) {
	encoded, _ := appendValue(nil, math.NaN(), gobCodec{}, 0)
	got, err := decodeValue(string(encoded), gobCodec{}, 0)
	if f, ok := got.(float64); err != nil || !ok || !math.IsNaN(f) {
		t.Errorf("decodeValue = %v, %v, want NaN", got, err)
	}
}

func TestGob_RegisteredTypes(t *testing.T) {
	for _, want := range []any{account{"Ada"}, map[string]int{"a": 1, "b": 2}, float32(1.5), uint8(9)} {
		encoded, err := appendValue(nil, want, gobCodec{}, 0)
		if err != nil {
			t.Fatalf("appendValue(%v): %v", want, err)
		}
		got, err := decodeValue(string(encoded), gobCodec{}, 0)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("decodeValue = %#v, %v, want %#v", got, err, want)
		}
	}
}

func TestCodecs_NameTheTypeThatTheyCannotKeep(t *testing.T) {
	for name, codec := range map[string]Codec{"gob": gobCodec{}, "JSON": JSON{}} {
		for _, v := range []any{unknown{1}, &unknown{1}, []any{unknown{1}}, func() {}, make(chan int)} {
			_, err := appendValue(nil, v, codec, 0)
			if err == nil {
				t.Errorf("%s: appendValue(%T) = nil, want an error", name, v)
				continue
			}
			if reflect.TypeOf(v).Kind() == reflect.Struct && !strings.Contains(err.Error(), "session.unknown") {
				t.Errorf("%s: error %q does not name the type", name, err)
			}
		}
	}
}

func TestValue_ListThatContainsItself(t *testing.T) {
	loop := make([]any, 1)
	loop[0] = loop
	if _, err := appendValue(nil, loop, gobCodec{}, 0); !errors.Is(err, errTooDeep) {
		t.Errorf("appendValue(loop) = %v, want %v", err, errTooDeep)
	}
	if _, err := (JSON{}).Encode(loop); !errors.Is(err, errTooDeep) {
		t.Errorf("JSON.Encode(loop) = %v, want %v", err, errTooDeep)
	}
}

func TestDecodeValue_RefusesWhatIsNoValue(t *testing.T) {
	deep := string([]byte{kindList})
	for range maxDepth + 1 {
		deep = joinElements([]string{deep})
	}
	tests := map[string]string{
		"nothing":                "",
		"unknown kind":           "\x63",
		"nil with more":          "\x00\x00",
		"short number":           "\x05\x01\x02\x03",
		"long number":            "\x07" + strings.Repeat("\x00", 9),
		"no time":                "\x09\x4d",
		"list cut short":         "\x0a\x05\x02",
		"list with a bad one":    "\x0a\x01\x63",
		"list with no element":   "\x0a\x00",
		"list of endless length": "\x0a" + strings.Repeat("\xff", 11),
		"too deep":               deep,
		"no gob":                 "\xff\x01\x02\x03",
	}
	for name, data := range tests {
		if v, err := decodeValue(data, gobCodec{}, 0); !errors.Is(err, ErrDecode) {
			t.Errorf("%s: decodeValue = %v, %v, want ErrDecode", name, v, err)
		}
	}
}

func TestSameValue(t *testing.T) {
	encode := func(v any) string {
		b, err := appendValue(nil, v, gobCodec{}, 0)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	many := map[string]int{}
	for _, k := range strings.Split("abcdefghijklmnopqrstuvwxyz", "") {
		many[k] = len(many)
	}
	first, again := encode(many), encode(many)
	for first == again { // gob writes maps in any order
		again = encode(many)
	}
	if !sameValue(first, again, gobCodec{}) {
		t.Error("sameValue of two encodings of a map = false, want true")
	}
	many["a"] = 99
	if sameValue(first, encode(many), gobCodec{}) {
		t.Error("sameValue of different maps = true, want false")
	}
	if sameValue(encode(1), encode(int64(1)), gobCodec{}) {
		t.Error("sameValue(int 1, int64 1) = true, want false")
	}
}

func TestEncodeValues_KeysOfAnyType(t *testing.T) {
	type named string
	gob.Register(named(""))
	plain := map[any]any{"1": "string", 1: "int", int64(1): "int64", named("1"): "named", true: "bool", nil: "nil"}
	encoded, err := encodeValues(plain, gobCodec{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[any]any{}
	if err := encoded.decode(got); err != nil || !reflect.DeepEqual(got, plain) {
		t.Errorf("decode = %v, %v, want %v", got, err, plain)
	}
}

func TestDecodeValues_KeyThatNoMapCanHave(t *testing.T) {
	for _, key := range []any{[]byte("k"), []any{"k"}} {
		k, _ := appendValue(nil, key, gobCodec{}, 0)
		if err := decodeInto(map[any]any{}, string(k), "\x02", gobCodec{}); !errors.Is(err, ErrDecode) {
			t.Errorf("decode of a key of type %T = %v, want ErrDecode", key, err)
		}
	}
}

// decode is what loading does with the values of a record.
func (v values) decode(plain map[any]any) error {
	r, err := decodeRecord(string((&record{values: v}).encode()))
	if err != nil {
		return err
	}
	return r.each(func(k, v string) error { return decodeInto(plain, k, v, gobCodec{}) })
}
