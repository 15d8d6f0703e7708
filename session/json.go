package session

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// JSON is a Codec that needs no registered types. What it keeps comes back
// with the type it had: nil, bool, string, all sizes of int, uint and float,
// []byte, time.Time, time.Duration, []string, []int, map[string]string, and
// []any and map[string]any of these. A value of any other type fails Save,
// with the type's name.
//
// Types that JSON does not have are written as an object of one member:
// {"$int64": "9007199254740993"}.
type JSON struct{}

var _ Codec = JSON{}

// Encode returns v as JSON.
func (JSON) Encode(v any) ([]byte, error) {
	tree, err := toJSON(v, 0)
	if err != nil {
		return nil, err
	}
	return json.Marshal(tree)
}

// Decode returns the value that data stands for.
func (JSON) Decode(data []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something behind the value")
	}
	return fromJSON(tree)
}

// tagged is a value of a type that JSON does not have.
func tagged(kind string, v any) any { return map[string]any{"$" + kind: v} }

func toJSON(v any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	switch v := v.(type) {
	case nil, bool:
		return v, nil
	case string:
		return stringToJSON(v), nil
	case []byte:
		return tagged("bytes", base64.StdEncoding.EncodeToString(v)), nil
	case time.Time:
		text, err := v.MarshalText()
		return tagged("time", string(text)), err
	case []any:
		return listToJSON(v, depth)
	case map[string]any:
		return mapToJSON(v, depth)
	case []string:
		return typedListToJSON("strings", v, depth)
	case []int:
		return typedListToJSON("ints", v, depth)
	case map[string]string:
		return stringMapToJSON(v, depth)
	default:
		return numberToJSON(v)
	}
}

func stringToJSON(s string) any {
	if utf8.ValidString(s) {
		return s
	}
	return tagged("string", base64.StdEncoding.EncodeToString([]byte(s))) // JSON would replace the bytes
}

func numberToJSON(v any) (any, error) {
	switch n := v.(type) {
	case float64:
		if math.IsNaN(n) || math.IsInf(n, 0) {
			return tagged("float64", strconv.FormatFloat(n, 'g', -1, 64)), nil
		}
		return n, nil
	case float32:
		return tagged("float32", strconv.FormatFloat(float64(n), 'g', -1, 32)), nil
	case time.Duration:
		return tagged("duration", strconv.FormatInt(int64(n), 10)), nil
	case int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return tagged(fmt.Sprintf("%T", n), fmt.Sprint(n)), nil
	default:
		return nil, fmt.Errorf("JSON does not keep the type %T", v)
	}
}

func listToJSON(list []any, depth int) (any, error) {
	out := make([]any, len(list))
	for i, v := range list {
		var err error
		if out[i], err = toJSON(v, depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func typedListToJSON[T any](kind string, list []T, depth int) (any, error) {
	general := make([]any, len(list))
	for i, v := range list {
		general[i] = v
	}
	out, err := listToJSON(general, depth)
	return tagged(kind, out), err
}

func stringMapToJSON(m map[string]string, depth int) (any, error) {
	general := make(map[string]any, len(m))
	for k, v := range m {
		general[k] = v
	}
	out, err := membersToJSON(general, depth)
	return tagged("stringmap", out), err
}

func mapToJSON(m map[string]any, depth int) (any, error) {
	out, err := membersToJSON(m, depth)
	for k := range m {
		if strings.HasPrefix(k, "$") {
			return tagged("map", out), err
		}
	}
	return out, err
}

func membersToJSON(m map[string]any, depth int) (any, error) {
	out := make(map[string]any, len(m))
	for k, v := range m {
		if !utf8.ValidString(k) {
			return nil, errors.New("JSON does not keep map keys that are not UTF-8")
		}
		var err error
		if out[k], err = toJSON(v, depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}
