package session

import (
	"math"
	"reflect"
	"testing"
	"time"
)

func TestJSON_ComesBackAsItWas(t *testing.T) {
	tests := map[string]any{
		"int64 above 2^53":   map[string]any{"n": int64(1<<53 + 1)},
		"all ints":           []any{1, int8(-1), int16(2), int32(3), int64(math.MinInt64), uint(4), uint8(5), uint16(6), uint32(7), uint64(math.MaxUint64)},
		"floats":             []any{1.0, 0.1, -1e300, float32(0.1), math.Inf(1)},
		"bytes":              map[string]any{"b": []byte{0, 255}},
		"text":               []any{"", "ü", "not UTF-8: \xff", "<script>&"},
		"duration":           map[string]any{"d": time.Hour},
		"strings":            map[string]any{"s": []string{"a", "\xfe"}},
		"ints":               []int{1, 2},
		"string map":         map[string]string{"a": "b", "$c": "\xff"},
		"nothing":            map[string]any{"n": nil, "l": []any{}, "m": map[string]any{}},
		"keys like tags":     map[string]any{"$int": "1"},
		"keys like tags (2)": map[string]any{"$map": map[string]any{"$map": true}},
		"keys like tags (3)": map[string]any{"$": "x", "y": 1},
		"bool":               true,
		"number":             5,
	}
	for name, want := range tests {
		data, err := JSON{}.Encode(want)
		if err != nil {
			t.Errorf("%s: Encode: %v", name, err)
			continue
		}
		got, err := JSON{}.Decode(data)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: Decode(%s) = %#v, %v, want %#v", name, data, got, err, want)
		}
	}
}

func TestJSON_Time(t *testing.T) {
	data, err := JSON{}.Encode(map[string]any{"t": someTime})
	if err != nil {
		t.Fatal(err)
	}
	got, err := JSON{}.Decode(data)
	m, _ := got.(map[string]any)
	if when, ok := m["t"].(time.Time); err != nil || !ok || !when.Equal(someTime) {
		t.Errorf("Decode(%s) = %v, %v, want %v", data, got, err, someTime)
	}
}

func TestJSON_RefusesWhatItDidNotWrite(t *testing.T) {
	for _, data := range []string{
		``, `{`, `1 2`, `{"$int":"x"}`, `{"$int":1}`, `{"$int8":"300"}`, `{"$planet":"x"}`, `{"$bytes":"?"}`, `{"$string":"?"}`,
		`{"$time":"now"}`, `{"$duration":"1h"}`, `{"$strings":[1]}`, `{"$ints":["1"]}`, `{"$lists":[]}`, `{"$stringmap":{"a":1}}`,
		`{"$other":{}}`, `{"$map":{"a":{"$int":"x"}}}`, `[{"$int":"x"}]`, `1e999`, `{"$int":null}`, `{"$int":{}}`, `{"$strings":[{"$x":1}]}`,
	} {
		if v, err := (JSON{}).Decode([]byte(data)); err == nil {
			t.Errorf("Decode(%s) = %v, want an error", data, v)
		}
	}
}

func TestJSON_MapKeysMustBeUTF8(t *testing.T) {
	if _, err := (JSON{}).Encode(map[string]any{"\xff": 1}); err == nil {
		t.Error("Encode of a map key that is not UTF-8 = nil, want an error")
	}
}
