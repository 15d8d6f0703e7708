package store

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/bmemcached/bmemcached-go/binary/codec"
)

// exactJSON is the codec of a Typed without Options.Codec: codec.JSON without
// what that loses silently. What it stores is the same JSON.
type exactJSON struct {
	codec.JSON
	anys bool // values may be in an any
}

// newExactJSON returns the codec of T, or an error if JSON would lose fields of
// a T.
func newExactJSON[T any]() (exactJSON, error) {
	s := shapeOf(reflect.TypeFor[T](), true)
	return exactJSON{anys: s.anys}, s.err
}

// Encode refuses values in an any of which JSON would lose fields.
func (j exactJSON) Encode(v any) (data []byte, flags uint32, err error) {
	if j.anys {
		if err := checkAnys(reflect.ValueOf(v), 0); err != nil {
			return nil, 0, err
		}
	}
	return j.JSON.Encode(v)
}

// Decode keeps integers in an any that a float64 cannot hold.
func (j exactJSON) Decode(data []byte, flags uint32, v any) error {
	if !j.anys || !hasLongNumber(data) {
		return j.JSON.Decode(data, flags, v)
	}
	var text json.RawMessage
	if err := j.JSON.Decode(data, flags, &text); err != nil {
		return err // also what exceeds the codec's limits
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return j.JSON.Decode(data, flags, v) // which says what is wrong
	}
	if _, err := d.Token(); err != io.EOF {
		return j.JSON.Decode(data, flags, v)
	}
	convertNumbers(reflect.ValueOf(v))
	return nil
}

// hasLongNumber reports whether data has a number that a float64 may not hold:
// every integer of up to 15 digits fits.
func hasLongNumber(data []byte) bool {
	digits := 0
	for _, b := range data {
		if b < '0' || b > '9' {
			digits = 0
		} else if digits++; digits > 15 {
			return true
		}
	}
	return false
}

// convertNumbers replaces the json.Numbers in the anys of v, which was just
// decoded.
func convertNumbers(v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() && v.CanSet() {
			v.Set(reflect.ValueOf(converted(v.Interface())))
		}
	case reflect.Pointer:
		if !v.IsNil() && !v.Type().Implements(unmarshaler) {
			convertNumbers(v.Elem())
		}
	case reflect.Slice, reflect.Array:
		if shapeOf(v.Type().Elem(), true).anys {
			for i := range v.Len() {
				convertNumbers(v.Index(i))
			}
		}
	case reflect.Map:
		if shapeOf(v.Type().Elem(), true).anys {
			convertMap(v)
		}
	case reflect.Struct:
		if v.CanAddr() && v.Addr().Type().Implements(unmarshaler) {
			return
		}
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() || field.Anonymous {
				convertNumbers(v.Field(i))
			}
		}
	}
}

func convertMap(m reflect.Value) {
	for _, key := range m.MapKeys() {
		value := reflect.New(m.Type().Elem()).Elem()
		value.Set(m.MapIndex(key))
		convertNumbers(value)
		m.SetMapIndex(key, value)
	}
}

// converted returns what encoding/json decodes into an any, with numbers instead
// of json.Numbers.
func converted(v any) any {
	switch v := v.(type) {
	case json.Number:
		return exactNumber(v)
	case map[string]any:
		for key, value := range v {
			v[key] = converted(value)
		}
	case []any:
		for i, value := range v {
			v[i] = converted(value)
		}
	}
	return v
}

// exactNumber returns a float64, as encoding/json does. An integer that a
// float64 cannot hold becomes an int64 or uint64, or stays a json.Number.
func exactNumber(n json.Number) any {
	text := n.String()
	f, floatErr := strconv.ParseFloat(text, 64)
	if floatErr == nil && strconv.FormatFloat(f, 'f', 0, 64) == text {
		return f
	}
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i
	}
	if u, err := strconv.ParseUint(text, 10, 64); err == nil {
		return u
	}
	if floatErr == nil && (strings.ContainsAny(text, ".eE") || strconv.FormatFloat(f, 'f', -1, 64) == text) {
		return f // a float64 was encoded
	}
	return n
}
