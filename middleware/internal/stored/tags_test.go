package stored

import (
	"net/http"
	"slices"
	"testing"
)

func TestTagsOf_ReadsBothFields(t *testing.T) {
	h := http.Header{
		"Cache-Tag":     {"a, b b,,", "c"},
		"Surrogate-Key": {" d  e,f "},
		"X-Other":       {"g"},
	}
	got, want := TagsOf(h), []string{"a", "b b", "c", "d", "e,f"}
	if !slices.Equal(got, want) {
		t.Errorf("TagsOf(%v) = %q, want %q", h, got, want)
	}
	if names := UniqueTags([]string{"a", "b", "a"}); !slices.Equal(names, []TagName{NameTag("a"), NameTag("b")}) {
		t.Errorf("UniqueTags = %x, want a and b", names)
	}
}

func TestTag_CurrentAsLongAsThePurgeIsTheSame(t *testing.T) {
	tag := Tag{NameTag("a"), 7}
	for name, test := range map[string]struct {
		value []byte
		want  bool
	}{
		"the same purge": {Mark(KindTag, 7), true},
		"a later one":    {Mark(KindTag, 8), false},
		"nothing":        {nil, false},
		"another kind":   {Mark(KindLock, 7), false},
		"garbage":        {[]byte("7"), false},
	} {
		if got := tag.Current(test.value); got != test.want {
			t.Errorf("with %s in memcached: Current = %v, want %v", name, got, test.want)
		}
	}
}
