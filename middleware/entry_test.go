package middleware

import (
	"bytes"
	"math"
	"math/rand/v2"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
)

func sampleEntry() *entry {
	return &entry{
		id: 7, full: []byte("key"), status: 404, received: time.UnixMilli(1_790_000_000_123),
		terms: policy.Terms{
			Freshness:            policy.Freshness{Age: 3 * time.Second, Lifetime: time.Minute, Explicit: true},
			StaleWhileRevalidate: 5 * time.Second, StaleIfError: 6 * time.Second,
			NoCache: true, NoStale: true, AllowAuthorized: true, Validators: true,
		},
		madeETag: true,
		tags:     []tagStamp{{tagName{1, 2}, 99}, {tagName{3}, 1 << 60}},
		fields: []field{
			{"Etag", fieldSet, []string{`"x"`}},
			{"Link", fieldAdd, []string{"<a>", "", "<b>"}},
			{"X-Gone", fieldRemove, []string{}},
		},
		body: []byte("body"),
	}
}

// decode is what a reader of memcached does with a value.
func decode(value []byte) (*entry, error) {
	kind, id, rest, err := openItem(value)
	if err != nil || kind != kindEntry {
		return nil, errGarbage
	}
	e := new(entry)
	return e, decodeEntry(e, id, rest)
}

func TestEntry_SurvivesEncoding(t *testing.T) {
	e := sampleEntry()
	got, err := decode(encodeEntry(e))
	if err != nil || !reflect.DeepEqual(got, e) {
		t.Errorf("decoded = %+v, %v, want %+v", got, err, e)
	}
}

func TestEntry_ChunkedSurvivesEncoding(t *testing.T) {
	e := sampleEntry()
	e.body, e.size, e.chunkSize = nil, 1000, 300
	got, err := decode(encodeEntry(e))
	if err != nil || !reflect.DeepEqual(got, e) {
		t.Errorf("decoded = %+v, %v, want %+v", got, err, e)
	}
}

func TestEntry_DamageIsNoticed(t *testing.T) {
	value := encodeEntry(sampleEntry())
	for i := range value {
		for _, bit := range []byte{0x01, 0x80} {
			damaged := bytes.Clone(value)
			damaged[i] ^= bit
			if _, err := decode(damaged); err == nil {
				t.Errorf("with byte %d changed by %#x: accepted", i, bit)
			}
		}
		if _, err := decode(value[:i]); err == nil {
			t.Errorf("cut to %d bytes: accepted", i)
		}
	}
}

// FuzzDecodeEntry seals what it is given, so that the checksum does not keep the
// decoder from seeing it.
func FuzzDecodeEntry(f *testing.F) {
	f.Add(encodeEntry(sampleEntry())[itemHeader:])
	f.Add([]byte{})
	f.Add([]byte{0, flagChunked, 200, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0})
	f.Fuzz(func(t *testing.T, rest []byte) {
		value := sealItem(append(appendItem(nil, kindEntry, 1), rest...))
		e, err := decode(value)
		if err != nil {
			return
		}
		if e.chunked() && (e.size > maxChunks*e.chunkSize || e.body != nil) {
			t.Errorf("accepted %d bytes in chunks of %d", e.size, e.chunkSize)
		}
		if e.status < 200 || e.status > 999 || e.terms.Age < 0 || e.terms.Lifetime < 0 {
			t.Errorf("accepted %+v", e)
		}
		again, err := decode(encodeEntry(e))
		if err != nil || len(again.body) != len(e.body) || len(again.fields) != len(e.fields) {
			t.Errorf("%+v encodes to %+v, %v", e, again, err)
		}
	})
}

func FuzzDecodeIndex(f *testing.F) {
	f.Add(encodeIndex(&index{1, []string{"Accept", "Foo"}}, []byte("key"))[itemHeader:])
	f.Add([]byte{3, 'k', 'e', 'y', 255})
	f.Fuzz(func(t *testing.T, rest []byte) {
		ix, err := decodeIndex(1, rest, []byte("key"))
		if err != nil {
			return
		}
		_, id, rest, err := openItem(encodeIndex(ix, []byte("key")))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := decodeIndex(id, rest, []byte("key")); err != nil || !reflect.DeepEqual(again, ix) {
			t.Errorf("%+v encodes to %+v, %v", ix, again, err)
		}
	})
}

// FuzzAssemble has anything for the second of three chunks.
func FuzzAssemble(f *testing.F) {
	f.Add([]byte(nil), byte(kindChunk), uint64(5))
	f.Add(append([]byte{1}, make([]byte, 400)...), byte(kindChunk), uint64(5))
	f.Add(append([]byte{1}, make([]byte, 401)...), byte(kindChunk), uint64(5))
	f.Add(append([]byte{2}, make([]byte, 400)...), byte(kindChunk), uint64(5))
	f.Add(append([]byte{1}, make([]byte, 400)...), byte(kindChunk), uint64(6))
	f.Add(append([]byte{1}, make([]byte, 400)...), byte(kindEntry), uint64(5))
	f.Fuzz(func(t *testing.T, rest []byte, kind byte, id uint64) {
		value := sealItem(append(appendItem(nil, itemKind(kind), id), rest...))
		e := &entry{id: 5, size: 1000, chunkSize: 400}
		if !e.assemble(map[string]*memcached.Item{
			"a": {Value: encodeChunk(5, 0, make([]byte, 400))},
			"b": {Value: value},
			"c": {Value: encodeChunk(5, 2, make([]byte, 200))},
		}, []string{"a", "b", "c"}) {
			return
		}
		if kind != byte(kindChunk) || id != 5 || len(e.body) != 1000 || !bytes.HasSuffix(rest, e.body[400:800]) {
			t.Errorf("accepted %d bytes of kind %q and entry %d as a chunk of 400", len(rest), kind, id)
		}
	})
}

func TestDecodeIndex_OfAnotherKeyIsGarbage(t *testing.T) {
	_, id, rest, _ := openItem(encodeIndex(&index{1, []string{"A"}}, []byte("one")))
	if _, err := decodeIndex(id, rest, []byte("two")); err == nil {
		t.Error("an index that was stored for one key is accepted for another")
	}
}

func TestAssemble_RefusesWhatIsNotTheWholeBody(t *testing.T) {
	body := make([]byte, 1000)
	for i := range body {
		body[i] = byte(rand.Uint32())
	}
	e := &entry{id: 5, size: 1000, chunkSize: 400}
	keys := []string{"a", "b", "c"}
	whole := func() map[string]*memcached.Item {
		return map[string]*memcached.Item{
			"a": {Value: encodeChunk(5, 0, body[:400])},
			"b": {Value: encodeChunk(5, 1, body[400:800])},
			"c": {Value: encodeChunk(5, 2, body[800:])},
		}
	}
	if !e.assemble(whole(), keys) || !bytes.Equal(e.body, body) {
		t.Fatal("the whole body was refused or came out different")
	}
	tests := map[string]func(map[string]*memcached.Item){
		"missing":                func(m map[string]*memcached.Item) { delete(m, "b") },
		"of another response":    func(m map[string]*memcached.Item) { m["b"].Value = encodeChunk(6, 1, body[400:800]) },
		"of another place":       func(m map[string]*memcached.Item) { m["b"].Value = encodeChunk(5, 2, body[400:800]) },
		"damaged":                func(m map[string]*memcached.Item) { m["b"].Value[30] ^= 1 },
		"short":                  func(m map[string]*memcached.Item) { m["c"].Value = encodeChunk(5, 2, body[801:]) },
		"long":                   func(m map[string]*memcached.Item) { m["c"].Value = encodeChunk(5, 2, body[799:]) },
		"garbage":                func(m map[string]*memcached.Item) { m["b"].Value = []byte("garbage") },
		"something of the cache": func(m map[string]*memcached.Item) { m["b"].Value = encodeMark(kindLock, 5) },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			items := whole()
			spoil(items)
			if e := (&entry{id: 5, size: 1000, chunkSize: 400}); e.assemble(items, keys) {
				t.Errorf("a body with a chunk that is %s was accepted", name)
			}
		})
	}
}

func TestDelta_DoesToAnotherHeaderWhatTheHandlerDid(t *testing.T) {
	before := http.Header{"Same": {"1"}, "Grown": {"1"}, "Changed": {"1", "2"}, "Removed": {"1"}, "Shrunk": {"1", "2"}}
	after := http.Header{"Same": {"1"}, "Grown": {"1", "2", "3"}, "Changed": {"2", "1"}, "Shrunk": {"1"}, "New": {"x", "x"}, "Skip": {"1"}}
	fields := delta(before, after, func(name string) bool { return name == "Skip" })
	live := http.Header{"Same": {"live"}, "Grown": {"live"}, "Changed": {"live"}, "Removed": {"live"}, "Other": {"live"}, "Shrunk": {"live"}}
	applyFields(live, fields)
	want := http.Header{
		"Same": {"live"}, "Grown": {"live", "2", "3"}, "Changed": {"2", "1"}, "Shrunk": {"1"},
		"New": {"x", "x"}, "Other": {"live"},
	}
	if !reflect.DeepEqual(live, want) {
		t.Errorf("header = %v, want %v", live, want)
	}
}

func TestApplyFields_WhoAppendsDoesNotChangeTheEntry(t *testing.T) {
	fields, err := decodeFields(string(appendFields(nil, []field{{"A", fieldSet, []string{"1"}}, {"B", fieldSet, []string{"2"}}})))
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	applyFields(h, fields)
	h["A"] = append(h["A"], "x")
	if fields[1].values[0] != "2" {
		t.Errorf("B of the entry = %q after an append to A of a response, want 2", fields[1].values[0])
	}
}

func TestKeys_NothingRunsTogether(t *testing.T) {
	plain := origin{}
	type parts struct {
		o                         origin
		host, custom, path, query string
	}
	all := []parts{
		{plain, "a", "", "/b", ""},
		{plain, "ab", "", "/", ""},
		{plain, "a", "", "/b?", ""},
		{plain, "a", "", "/", "b"},
		{plain, "a", "", "/b", "c"},
		{plain, "a", "", "/bc", ""},
		{plain, "a", "k/b", "", ""},
		{plain, "", "", "a/b", ""},
		{plain, "a", "k", "", ""},
		{origin{proto: "https"}, "a", "", "/b", ""},
		{origin{tls: true}, "a", "", "/b", ""},
	}
	seen := map[string]parts{}
	for _, p := range all {
		full := string(appendKey(nil, p.o, p.host, p.custom, p.path, p.query))
		if other, ok := seen[full]; ok {
			t.Errorf("%+v and %+v have the same key", p, other)
		}
		seen[full] = p
	}
}

func TestVariant_AbsentIsNotEmpty(t *testing.T) {
	ix := &index{1, []string{"A", "B"}}
	headers := []http.Header{
		{},
		{"A": {""}},
		{"B": {""}},
		{"A": {""}, "B": {""}},
		{"A": {"1"}},
		{"B": {"1"}},
		{"A": {"1"}, "B": {"2"}},
		{"A": {"12"}},
		{"A": {"1"}, "B": {""}},
		{"A": {"x"}, "B": {"y\x01B\x01z"}},
		{"A": {"x\x01B\x01y"}, "B": {"z"}},
	}
	seen := map[string]http.Header{}
	for _, h := range headers {
		full := string(appendVariant(nil, ix, h))
		if other, ok := seen[full]; ok {
			t.Errorf("%v and %v select the same variant", h, other)
		}
		seen[full] = h
	}
}

// TestAge_ClocksMayDisagree: what another process received is not older or younger
// for it.
func TestAge_ClocksMayDisagree(t *testing.T) {
	now := time.Now()
	e := &entry{received: now.Add(time.Hour)}
	e.terms.Age = 5 * time.Second
	if got := e.age(now); got != 5*time.Second {
		t.Errorf("age of what comes from the future = %v, want what it had when it was received", got)
	}
}

func TestKeyspace_PrefixesThatNewTakesMakeValidKeys(t *testing.T) {
	for _, prefix := range []string{"page:", "p", strings.Repeat("x", longestPrefix), "ünïcode"} {
		if err := checkPrefix(prefix); err != nil {
			t.Fatal(err)
		}
		k := keyspace{prefix}
		chunk := (&Cache{keys: k}).chunkKeys(&entry{id: math.MaxUint64, size: maxChunks, chunkSize: 1})[maxChunks-1]
		for _, key := range []string{k.of(letterPage, []byte("x")), k.tag(nameTag("t")), k.epoch(), chunk} {
			if memcached.SafeKey("", key) != key {
				t.Errorf("prefix %q makes the key %q, which is not valid", prefix, key)
			}
		}
	}
}

func TestSanitize(t *testing.T) {
	h := http.Header{"X-Forwarded-Host": {"evil"}, "X-Original-Url": {"/admin"}, "Accept": {"x"}, "X-Forwarded-Proto": {"HTTPS, http"}}
	got := sanitize(h, nil)
	if want := (http.Header{"Accept": {"x"}, "X-Forwarded-Proto": {"https"}}); !reflect.DeepEqual(got, want) {
		t.Errorf("sanitize = %v, want %v", got, want)
	}
	if len(h) != 4 {
		t.Errorf("sanitize changed its argument to %v", h)
	}
	got = sanitize(h, &index{fields: []string{"X-Forwarded-Host"}})
	if got.Get("X-Forwarded-Host") != "evil" {
		t.Error("sanitize removed a field that the response varies on")
	}
	if got := sanitize(http.Header{"X-Forwarded-Proto": {"gopher"}}, nil); len(got) != 0 {
		t.Errorf("sanitize = %v, want no X-Forwarded-Proto: it names no scheme", got)
	}
}

func TestWithoutLive(t *testing.T) {
	tests := map[string]struct {
		above, all []string
		encoded    bool
		want       string
	}{
		"nothing above":                      {nil, []string{"A"}, false, "A"},
		"CORS above":                         {[]string{"Origin"}, []string{"Origin"}, false, ""},
		"CORS above, more below":             {[]string{"Origin"}, []string{"Origin", "Accept"}, false, "Accept"},
		"Origin below as well":               {[]string{"Origin"}, []string{"Origin", "Origin"}, false, "Origin"},
		"replaced below":                     {[]string{"Origin"}, []string{"Origin, Accept"}, false, "Origin, Accept"},
		"language above":                     {[]string{"Accept-Language"}, []string{"Accept-Language"}, false, "Accept-Language"},
		"compression above":                  {[]string{"Accept-Encoding"}, []string{"Accept-Encoding"}, false, ""},
		"compression above and in the entry": {[]string{"Accept-Encoding"}, []string{"Accept-Encoding"}, true, "Accept-Encoding"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(withoutLive(test.above, test.all, test.encoded), "|"); got != test.want {
				t.Errorf("withoutLive(%q, %q) = %q, want %q", test.above, test.all, got, test.want)
			}
		})
	}
}
