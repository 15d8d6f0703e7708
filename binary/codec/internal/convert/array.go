package convert

import "reflect"

// An Array is an array of PHP, which is a list and a map in one: it fits a slice if
// its keys count from 0, and a map in any case. Values may hold Arrays.
type Array struct {
	Keys   []string // in order; of equal ones the last counts
	Values []any
	IsList bool // the keys count from 0
}

// plain returns a as a []any or a map[string]any, and so what it holds.
func (a Array) plain() any {
	if a.IsList {
		list := make([]any, len(a.Values))
		for i, v := range a.Values {
			list[i] = plain(v)
		}
		return list
	}
	m := make(map[string]any, len(a.Keys))
	for i, k := range a.Keys {
		m[k] = plain(a.Values[i])
	}
	return m
}

func plain(val any) any {
	if a, ok := val.(Array); ok {
		return a.plain()
	}
	return val
}

// setArray decodes a as a list or a map, whichever dst is.
func (c *converter) setArray(dst reflect.Value, a Array) error {
	switch {
	case dst.Kind() == reflect.Map:
		m := make(map[string]any, len(a.Keys))
		for i, k := range a.Keys {
			m[k] = a.Values[i]
		}
		return c.setMap(dst, reflect.ValueOf(m))
	case dst.Kind() == reflect.Slice && a.IsList:
		return c.setList(dst, reflect.ValueOf(a.Values))
	case dst.Kind() == reflect.Interface:
		return c.set(dst, a.plain())
	}
	if a.IsList {
		return mismatch(dst, []any(nil))
	}
	return mismatch(dst, map[string]any(nil))
}
