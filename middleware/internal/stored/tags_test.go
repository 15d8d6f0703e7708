package stored

import (
	"net/http"
	"reflect"
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
	same := Purges{ID: 7, Number: 1, Soft: []SoftPurge{{3, time.UnixMilli(0)}}}
	for name, test := range map[string]struct {
		value         []byte
		good, expired bool
	}{
		"the same purge":                  {same.Encode(), true, false},
		"the same, by another number":     {Purges{ID: 7, Number: 2, Soft: same.Soft}.Encode(), true, false},
		"a soft purge":                    {same.Soften(time.Now()).Encode(), true, true},
		"two soft purges":                 {same.Soften(time.Now()).Soften(time.Now()).Encode(), true, true},
		"as many as are remembered":       {soft(same, MaxSoftPurges-1).Encode(), true, true},
		"too many":                        {soft(same, MaxSoftPurges).Encode(), true, true},
		"another soft purge":              {Purges{ID: 7, Number: 1}.Soften(time.Now()).Encode(), true, true},
		"a purge":                         {Purges{ID: 8, Number: 1, Soft: same.Soft}.Encode(), false, false},
		"nothing":                         {nil, false, false},
		"another kind":                    {Mark(KindLock, 7), false, false},
		"garbage":                         {[]byte("7"), false, false},
		"a purge without the other parts": {Mark(KindTag, 7), false, false},
	} {
		e := &Entry{Received: time.Now()}
		e.Terms.Age = time.Second
		e.Terms.Lifetime = time.Minute
		if good := tag.Check(e, test.value); good != test.good || e.Expired != test.expired {
			t.Errorf("with %s in memcached: good %v, expired %v, want %v and %v", name, good, e.Expired, test.good, test.expired)
		}
	}
}

// soft adds n soft purges, a second apart.
func soft(p Purges, n int) Purges {
	for i := range n {
		p = p.Soften(time.UnixMilli(int64(i) * 1000))
	}
	return p
}

// TestTag_IsStaleSinceTheFirstSoftPurge.
func TestTag_IsStaleSinceTheFirstSoftPurge(t *testing.T) {
	for before := range MaxSoftPurges {
		p := soft(Purges{ID: 7}, before)
		tag := p.Tag(NameTag("a"))
		for i := range MaxSoftPurges - 1 {
			p = p.Soften(time.UnixMilli(int64(1_000_000 + i)))
			e := &Entry{Received: time.UnixMilli(0)}
			e.Terms.Lifetime = time.Hour
			if good := tag.Check(e, p.Encode()); !good || !e.Expired || e.Terms.Lifetime != 1000*time.Second {
				t.Fatalf("%d purges later: good %v, lifetime %v, want that of the first: 1,000 s", i+1, good, e.Terms.Lifetime)
			}
		}
	}
}

func TestPurges_SurviveEncoding(t *testing.T) {
	for _, want := range []Purges{
		{ID: 1 << 63, Number: 2},
		{ID: 1, Number: 1 << 63, Soft: []SoftPurge{{1 << 62, time.UnixMilli(1_790_000_000_123)}, {1, time.UnixMilli(0)}}},
		soft(Purges{ID: 1}, 100),
	} {
		got, ok := OpenPurges(want.Encode())
		if !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("decoded = %+v, %v, want %+v", got, ok, want)
		}
	}
}

func FuzzOpenPurges(f *testing.F) {
	f.Add(soft(Purges{ID: 1, Number: 2}, 2).Encode()[headerSize:])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, rest []byte) {
		p, ok := OpenPurges(finish(append(begin(nil, KindTag, 1), rest...)))
		if !ok {
			return
		}
		if again, ok := OpenPurges(p.Encode()); !ok || !reflect.DeepEqual(again, p) {
			t.Errorf("%+v encodes to %+v, %v", p, again, ok)
		}
	})
}
