package stored

import (
	"net/http"
	"reflect"
	"testing"
)

func TestDelta_DoesToAnotherHeaderWhatTheHandlerDid(t *testing.T) {
	before := http.Header{"Same": {"1"}, "Grown": {"1"}, "Changed": {"1", "2"}, "Removed": {"1"}, "Shrunk": {"1", "2"}}
	after := http.Header{"Same": {"1"}, "Grown": {"1", "2", "3"}, "Changed": {"2", "1"}, "Shrunk": {"1"}, "New": {"x", "x"}, "Skip": {"1"}}
	fields := Delta(before, after, func(name string) bool { return name == "Skip" })
	live := http.Header{"Same": {"live"}, "Grown": {"live"}, "Changed": {"live"}, "Removed": {"live"}, "Other": {"live"}, "Shrunk": {"live"}}
	Apply(live, fields)
	want := http.Header{
		"Same": {"live"}, "Grown": {"live", "2", "3"}, "Changed": {"2", "1"}, "Shrunk": {"1"},
		"New": {"x", "x"}, "Other": {"live"},
	}
	if !reflect.DeepEqual(live, want) {
		t.Errorf("header = %v, want %v", live, want)
	}
}

func TestApplyFields_WhoAppendsDoesNotChangeTheEntry(t *testing.T) {
	fields, err := decodeFields(string(appendFields(nil, []Field{{"A", Set, []string{"1"}}, {"B", Set, []string{"2"}}})))
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	Apply(h, fields)
	h["A"] = append(h["A"], "x")
	if fields[1].Values[0] != "2" {
		t.Errorf("B of the entry = %q after an append to A of a response, want 2", fields[1].Values[0])
	}
}

// TestMerge_WhatTheHandlerRemovedStaysRemoved, when it confirms the page.
func TestMerge_WhatTheHandlerRemovedStaysRemoved(t *testing.T) {
	removed := Field{Name: "Link", Mode: Remove}
	merged := Merge([]Field{removed, Only("X-A", "1")}, []Field{removed, Only("X-A", "2"), {Name: "X-B", Mode: Remove}})
	if want := []Field{removed, Only("X-A", "2")}; !reflect.DeepEqual(merged, want) {
		t.Errorf("Merge = %v, want %v", merged, want)
	}
}
