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
	Apply(live, fields, nil)
	want := http.Header{
		"Same": {"live"}, "Grown": {"live", "2", "3"}, "Changed": {"2", "1"}, "Shrunk": {"1"},
		"New": {"x", "x"}, "Other": {"live"},
	}
	if !reflect.DeepEqual(live, want) {
		t.Errorf("header = %v, want %v", live, want)
	}
}

// TestApply_WhatIsDoneToAHeaderIsNotDoneToTheEntry, nor to other fields of the header.
func TestApply_WhatIsDoneToAHeaderIsNotDoneToTheEntry(t *testing.T) {
	var e Entry
	want := []Field{{"A", Set, []string{"1", "2"}}, {"B", Set, []string{"3"}}, {"C", Add, []string{"4"}}, {"Vary", Join, []string{"5"}}}
	if err := e.decodeFields(string(appendFields(nil, want))); err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	Apply(h, e.Fields, make([]string, 0, 8))
	for name, lines := range h {
		h[name] = append(lines, "more")
		for i := range lines {
			lines[i] = "other"
		}
	}
	if !reflect.DeepEqual(e.Fields, want) {
		t.Errorf("fields of the entry = %v, want %v", e.Fields, want)
	}
	for name, lines := range h {
		if lines[len(lines)-1] != "more" {
			t.Errorf("%s = %q after an append to another field, want more at its end", name, lines)
		}
	}
}

// TestDecodeFields_RoomIsUsedAgain, whatever was there.
func TestDecodeFields_RoomIsUsedAgain(t *testing.T) {
	headers := []string{
		string(appendFields(nil, []Field{{"A", Set, []string{"1", "2"}}, {"B", Remove, []string{}}})),
		string(appendFields(nil, []Field{{"C", Add, []string{"3"}}})),
		string(appendFields(nil, []Field{})),
	}
	var e Entry
	for range 2 {
		for _, text := range headers {
			var fresh Entry
			if e.decodeFields(text) != nil || fresh.decodeFields(text) != nil || !reflect.DeepEqual(e.Fields, fresh.Fields) {
				t.Errorf("fields = %v, want %v", e.Fields, fresh.Fields)
			}
			if e.decodeFields(text[:len(text)-1]) == nil || len(e.Fields) > 0 {
				t.Errorf("fields of what is cut short = %v, want none and an error", e.Fields)
			}
		}
	}
	if n := testing.AllocsPerRun(100, func() { _ = e.decodeFields(headers[0]) }); n > 0 {
		t.Errorf("decoding into an entry that was used allocates %v times, want none", n)
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
