package session

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

var errJSONShape = errors.New("JSON of an unexpected shape")

func fromJSON(tree any) (any, error) {
	switch v := tree.(type) {
	case json.Number:
		return v.Float64()
	case []any:
		return listFromJSON(v)
	case map[string]any:
		if kind, inner, ok := tagOf(v); ok {
			return taggedFromJSON(kind, inner)
		}
		return membersFromJSON(v)
	default: // nil, bool, string
		return v, nil
	}
}

// tagOf recognises what tagged made.
func tagOf(m map[string]any) (kind string, inner any, ok bool) {
	if len(m) != 1 {
		return "", nil, false
	}
	for k, v := range m {
		kind, ok = strings.CutPrefix(k, "$")
		inner = v
	}
	return kind, inner, ok
}

func listFromJSON(list []any) (any, error) {
	out := make([]any, len(list))
	for i, v := range list {
		var err error
		if out[i], err = fromJSON(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func membersFromJSON(m map[string]any) (any, error) {
	out := make(map[string]any, len(m))
	for k, v := range m {
		var err error
		if out[k], err = fromJSON(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func taggedFromJSON(kind string, inner any) (any, error) {
	switch inner := inner.(type) {
	case string:
		return textFromJSON(kind, inner)
	case []any:
		return typedListFromJSON(kind, inner)
	case map[string]any:
		return typedMapFromJSON(kind, inner)
	default:
		return nil, errJSONShape
	}
}

func textFromJSON(kind, text string) (any, error) {
	switch kind {
	case "bytes":
		return base64.StdEncoding.DecodeString(text)
	case "string":
		b, err := base64.StdEncoding.DecodeString(text)
		return string(b), err
	case "time":
		var t time.Time
		err := t.UnmarshalText([]byte(text))
		return t, err
	case "duration":
		n, err := strconv.ParseInt(text, 10, 64)
		return time.Duration(n), err
	default:
		return numberFromJSON(kind, text)
	}
}

func numberFromJSON(kind, text string) (any, error) {
	switch kind {
	case "int":
		return strconv.Atoi(text)
	case "int8":
		return parseInt[int8](text, 8)
	case "int16":
		return parseInt[int16](text, 16)
	case "int32":
		return parseInt[int32](text, 32)
	case "int64":
		return parseInt[int64](text, 64)
	case "uint":
		return parseUint[uint](text, strconv.IntSize)
	case "uint8":
		return parseUint[uint8](text, 8)
	case "uint16":
		return parseUint[uint16](text, 16)
	case "uint32":
		return parseUint[uint32](text, 32)
	case "uint64":
		return parseUint[uint64](text, 64)
	case "float32":
		f, err := strconv.ParseFloat(text, 32)
		return float32(f), err
	case "float64":
		return strconv.ParseFloat(text, 64)
	default:
		return nil, fmt.Errorf("unknown type %q in JSON", kind)
	}
}

func parseInt[T int8 | int16 | int32 | int64](text string, bits int) (any, error) {
	n, err := strconv.ParseInt(text, 10, bits)
	return T(n), err
}

func parseUint[T uint | uint8 | uint16 | uint32 | uint64](text string, bits int) (any, error) {
	n, err := strconv.ParseUint(text, 10, bits)
	return T(n), err
}

func typedListFromJSON(kind string, list []any) (any, error) {
	switch kind {
	case "strings":
		return convertList[string](list)
	case "ints":
		return convertList[int](list)
	default:
		return nil, errJSONShape
	}
}

func convertList[T any](list []any) (any, error) {
	out := make([]T, len(list))
	for i, v := range list {
		plain, err := fromJSON(v)
		if err != nil {
			return nil, err
		}
		var ok bool
		if out[i], ok = plain.(T); !ok {
			return nil, errJSONShape
		}
	}
	return out, nil
}

func typedMapFromJSON(kind string, m map[string]any) (any, error) {
	switch kind {
	case "map":
		return membersFromJSON(m)
	case "stringmap":
		out := make(map[string]string, len(m))
		for k, v := range m {
			plain, err := fromJSON(v)
			if err != nil {
				return nil, err
			}
			var ok bool
			if out[k], ok = plain.(string); !ok {
				return nil, errJSONShape
			}
		}
		return out, nil
	default:
		return nil, errJSONShape
	}
}
