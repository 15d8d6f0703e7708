package session

import (
	"context"
	"slices"
	"sync/atomic"
)

// mark says whether a session was touched, and of which it is only known that there are
// none. Several goroutines may use it.
type mark struct {
	touched atomic.Bool
	none    atomic.Pointer[[]string] // names for which the request has no cookie
}

func (m *mark) touch() { m.touched.Store(true) }

// look takes note that there is no session of a name.
func (m *mark) look(name string) {
	for {
		old := m.none.Load()
		var names []string
		if old != nil {
			names = *old
		}
		if slices.Contains(names, name) {
			return
		}
		names = append(slices.Clip(names), name)
		if m.none.CompareAndSwap(old, &names) {
			return
		}
	}
}

// seen returns what touchedKey stands for.
func (m *mark) seen() any { return m.value(context.Background()) }

// value returns what touchedKey stands for, in a context within outer: true, names, or
// nil.
func (m *mark) value(outer context.Context) any {
	if m.touched.Load() {
		return true
	}
	none := m.none.Load()
	if none == nil {
		return outer.Value(touchedKey)
	}
	return both(*none, outer.Value(touchedKey))
}

// both returns what two marks of one request say together. One of a session that is
// there counts more than any of those that are not.
func both(a, b any) any {
	x, xs := a.([]string)
	y, ys := b.([]string)
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case !xs || !ys:
		return true
	}
	names := slices.Clone(x)
	for _, name := range y {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
