package session

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
)

func encoded(t testing.TB, plain map[any]any) values {
	t.Helper()
	v, err := encodeValues(plain, gobCodec{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

type vals = map[any]any

func list(v ...any) []any { return append([]any{}, v...) }

func TestMerge(t *testing.T) {
	tests := map[string]struct {
		seen, ours, stored vals
		want               vals
		unchanged          bool
	}{
		"nothing anywhere":               {vals{}, vals{}, vals{}, vals{}, true},
		"ours alone":                     {vals{}, vals{"a": 1}, vals{}, vals{"a": 1}, false},
		"theirs alone":                   {vals{}, vals{}, vals{"b": 2}, vals{"b": 2}, true},
		"both set another key":           {vals{}, vals{"a": 1}, vals{"b": 2}, vals{"a": 1, "b": 2}, false},
		"both changed one key":           {vals{"a": 0}, vals{"a": 1}, vals{"a": 2}, vals{"a": 1}, false},
		"both made the same change":      {vals{"a": 0}, vals{"a": 1}, vals{"a": 1}, vals{"a": 1}, true},
		"ours left it alone":             {vals{"a": 0}, vals{"a": 0}, vals{"a": 2}, vals{"a": 2}, true},
		"ours left it, theirs deleted":   {vals{"a": 0}, vals{"a": 0}, vals{}, vals{}, true},
		"ours deleted":                   {vals{"a": 0}, vals{}, vals{"a": 0}, vals{}, false},
		"ours deleted, theirs changed":   {vals{"a": 0}, vals{}, vals{"a": 2}, vals{}, false},
		"ours changed, theirs deleted":   {vals{"a": 0}, vals{"a": 1}, vals{}, vals{"a": 1}, false},
		"both deleted":                   {vals{"a": 0}, vals{}, vals{}, vals{}, true},
		"ours cleared, theirs set":       {vals{"a": 0, "b": 0}, vals{}, vals{"a": 0, "b": 0, "c": 3}, vals{"c": 3}, false},
		"type changed":                   {vals{"a": 1}, vals{"a": "1"}, vals{"a": 1}, vals{"a": "1"}, false},
		"equal map":                      {vals{"m": map[string]int{"a": 1, "b": 2}}, vals{"m": map[string]int{"b": 2, "a": 1}}, vals{"m": map[string]int{"a": 1, "b": 2}}, vals{"m": map[string]int{"a": 1, "b": 2}}, true},
		"changed inside a map":           {vals{"m": map[string]int{"a": 1}}, vals{"m": map[string]int{"a": 2}}, vals{"m": map[string]int{"a": 1}}, vals{"m": map[string]int{"a": 2}}, false},
		"message added":                  {vals{}, vals{"f": list("x")}, vals{}, vals{"f": list("x")}, false},
		"messages added by both":         {vals{}, vals{"f": list("x")}, vals{"f": list("y")}, vals{"f": list("y", "x")}, false},
		"messages added by both to some": {vals{"f": list("a")}, vals{"f": list("a", "x")}, vals{"f": list("a", "y")}, vals{"f": list("a", "y", "x")}, false},
		"messages taken":                 {vals{"f": list("a")}, vals{}, vals{"f": list("a")}, vals{}, false},
		"messages taken, others added":   {vals{"f": list("a")}, vals{}, vals{"f": list("a", "y")}, vals{"f": list("y")}, false},
		"messages added, others taken":   {vals{"f": list("a")}, vals{"f": list("a", "x")}, vals{}, vals{"f": list("x")}, false},
		"messages taken and added":       {vals{"f": list("a")}, vals{"f": list("x")}, vals{"f": list("a")}, vals{"f": list("x")}, false},
		"list shortened":                 {vals{"f": list("a", "b")}, vals{"f": list("a")}, vals{"f": list("a", "b")}, vals{"f": list("a")}, false},
		"list emptied":                   {vals{"f": list("a")}, vals{"f": list()}, vals{"f": list("a")}, vals{"f": list()}, false},
		"list replaced by a string":      {vals{"f": list("a")}, vals{"f": "s"}, vals{"f": list("a", "b")}, vals{"f": "s"}, false},
		"list against a string":          {vals{"f": list("a")}, vals{"f": list("a", "b")}, vals{"f": "s"}, vals{"f": list("a", "b")}, false},
		"messages with maps in them":     {vals{"f": list(map[string]int{"a": 1, "b": 2})}, vals{}, vals{"f": list(map[string]int{"a": 1, "b": 2}, "y")}, vals{"f": list("y")}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, changed, conflicts, err := merge(encoded(t, tt.seen), encoded(t, tt.ours), encoded(t, tt.stored), gobCodec{})
			if err != nil || len(conflicts) > 0 {
				t.Fatalf("merge: %v, %v", conflicts, err)
			}
			plain := vals{}
			if err := got.decode(plain); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(plain, tt.want) || changed == tt.unchanged {
				t.Errorf("merge = %v, changed %t, want %v, %t", plain, changed, tt.want, !tt.unchanged)
			}
		})
	}
}

func TestMerge_TakingWhatAnotherTookIsAConflict(t *testing.T) {
	tests := map[string]struct{ seen, ours, stored vals }{
		"both took":                {vals{"f": list("a")}, vals{}, vals{}},
		"both took, theirs added":  {vals{"f": list("a")}, vals{}, vals{"f": list("y")}},
		"both took, ours added":    {vals{"f": list("a")}, vals{"f": list("x")}, vals{}},
		"both took, one of two":    {vals{"f": list("a"), "g": list("b")}, vals{}, vals{"g": list("b")}},
		"both took, other changes": {vals{"f": list("a")}, vals{"k": 1}, vals{}},
	}
	for name, tt := range tests {
		_, _, conflicts, err := merge(encoded(t, tt.seen), encoded(t, tt.ours), encoded(t, tt.stored), gobCodec{})
		key, _ := appendValue(nil, "f", gobCodec{}, 0)
		if !errors.Is(err, ErrConflict) || len(conflicts) != 1 || conflicts[0] != string(key) {
			t.Errorf("%s: merge: conflicts %q, error %v, want f and ErrConflict", name, conflicts, err)
		}
	}
}

// Gob writes maps in any order: what this request left alone may look changed.
func TestMerge_MapLeftAloneKeepsWhatOthersMadeOfIt(t *testing.T) {
	many := func(first int) vals {
		m := map[string]int{"first": first}
		for n := range 20 {
			m[fmt.Sprint(n)] = n
		}
		return vals{"m": m}
	}
	got, changed, _, err := merge(encoded(t, many(1)), encoded(t, many(1)), encoded(t, many(2)), gobCodec{})
	if err != nil || changed {
		t.Errorf("merge: changed %t, %v, want no change", changed, err)
	}
	plain := vals{}
	if err := got.decode(plain); err != nil || !reflect.DeepEqual(plain, many(2)) {
		t.Errorf("merge = %v, %v, want what others stored", plain, err)
	}
}

func TestMerge_LeavesItsInputsAlone(t *testing.T) {
	seen, ours, stored := encoded(t, vals{"a": 1, "f": list("x")}), encoded(t, vals{"b": 2}), encoded(t, vals{"a": 1, "f": list("x"), "c": 3})
	before := fmt.Sprint(seen, ours, stored)
	if _, _, _, err := merge(seen, ours, stored, gobCodec{}); err != nil {
		t.Fatal(err)
	}
	if after := fmt.Sprint(seen, ours, stored); after != before {
		t.Errorf("merge changed its inputs from %s to %s", before, after)
	}
}
