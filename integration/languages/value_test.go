package languages_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// A value is what drivers write and read, with the name of the type that it has
// in their language: text, bytes, int, float, bool, null, list, map, json, or
// object for one of a class of its own; symbol in Ruby; int32, int8, float32 and
// date in Java.
type value struct {
	Type  string `json:"type"`
	Value any    `json:"value,omitempty"`
}

func textOf(s string) value         { return value{"text", s} }
func bytesOf(b []byte) value        { return value{"bytes", base64.StdEncoding.EncodeToString(b)} }
func intOf(digits any) value        { return value{"int", fmt.Sprint(digits)} }
func floatOf(f float64) value       { return value{"float", f} }
func boolOf(b bool) value           { return value{"bool", b} }
func listOf(v ...value) value       { return value{"list", v} }
func objectOf(x, y int) value       { return value{"object", []int{x, y}} }
func jsonOf(v any) value            { return value{"json", v} }
func mapOf(k string, v value) value { return value{"map", map[string]value{k: v}} }

var null = value{Type: "null"}

// content is the bytes of a text or of bytes, whatever the language takes them for.
func (v *value) content() []byte {
	if v == nil {
		return nil
	}
	s, _ := v.Value.(string)
	if v.Type != "bytes" {
		return []byte(s)
	}
	b, _ := base64.StdEncoding.DecodeString(s)
	return b
}

// same says whether two values are, with their types.
func same(a *value, b value) bool { return a != nil && canonical(*a) == canonical(b) }

func canonical(v value) string {
	var plain any
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &plain)
	}
	if err == nil {
		text, err = json.Marshal(plain) // keys in order
	}
	if err != nil {
		panic(err) // values come from tables and from JSON
	}
	return string(text)
}

// short is v for a message.
func short(v any) string {
	var s string
	switch v := v.(type) {
	case *value:
		if v == nil {
			return "a miss"
		}
		s = canonical(*v)
	case value:
		s = canonical(v)
	default:
		s = fmt.Sprintf("%T %#v", v, v)
	}
	if len(s) > 120 {
		s = fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(s[:120], ""), len(s))
	}
	return s
}
