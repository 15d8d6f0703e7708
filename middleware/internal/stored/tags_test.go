package stored

import (
	"net/http"
	"slices"
	"testing"
	"time"
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

func TestTag_GoodAsLongAsThePurgeIsTheSame(t *testing.T) {
	tag := Tag{NameTag("a"), 7, 3}
	for name, test := range map[string]struct {
		value         []byte
		good, expired bool
	}{
		"the same purge":                  {Purges{ID: 7, Number: 1, Soft: 3}.Encode(), true, false},
		"the same, by another number":     {Purges{ID: 7, Number: 2, Soft: 3}.Encode(), true, false},
		"a soft purge":                    {Purges{ID: 7, Number: 2, Soft: 4, Since: time.Now()}.Encode(), true, true},
		"a purge":                         {Purges{ID: 8, Number: 1, Soft: 3}.Encode(), false, false},
		"nothing":                         {nil, false, false},
		"another kind":                    {Mark(KindLock, 7), false, false},
		"garbage":                         {[]byte("7"), false, false},
		"a purge without the other parts": {Mark(KindTag, 7), false, false},
	} {
		e := &Entry{Received: time.Now()}
		e.Terms.Lifetime = time.Minute
		if good := tag.Check(e, test.value); good != test.good || e.Expired != test.expired {
			t.Errorf("with %s in memcached: good %v, expired %v, want %v and %v", name, good, e.Expired, test.good, test.expired)
		}
	}
}

func TestPurges_SurviveEncoding(t *testing.T) {
	for _, want := range []Purges{
		{ID: 1 << 63, Number: 2, Since: time.UnixMilli(0)},
		{ID: 1, Number: 1 << 63, Soft: 1 << 62, Since: time.UnixMilli(1_790_000_000_123)},
	} {
		if got, ok := OpenPurges(want.Encode()); !ok || got != want {
			t.Errorf("decoded = %+v, %v, want %+v", got, ok, want)
		}
	}
}

func FuzzOpenPurges(f *testing.F) {
	f.Add(Purges{ID: 1, Number: 2, Soft: 3, Since: time.UnixMilli(4)}.Encode()[headerSize:])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, rest []byte) {
		p, ok := OpenPurges(finish(append(begin(nil, KindTag, 1), rest...)))
		if !ok {
			return
		}
		again, ok := OpenPurges(p.Encode())
		if p.Soft == 0 {
			again.Since = p.Since // is said of soft purges only
		}
		if !ok || again != p {
			t.Errorf("%+v encodes to %+v, %v", p, again, ok)
		}
	})
}
