package stored

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
)

func sampleEntry() *Entry {
	return &Entry{
		ID: 7, Key: "key", Status: 404, Received: time.UnixMilli(1_790_000_000_123),
		Terms: policy.Terms{
			Freshness:            policy.Freshness{Age: 3 * time.Second, Lifetime: time.Minute, Explicit: true},
			StaleWhileRevalidate: 5 * time.Second, StaleIfError: 6 * time.Second,
			NoCache: true, NoStale: true, AllowAuthorized: true, Validators: true,
		},
		MadeETag: true, Unsent: true, Implied: true, Wrote: true,
		Expired: true, Index: 1 << 63,
		Tags: []Tag{{TagName{1, 2}, 99, 0}, {TagName{3}, 1 << 60, 1 << 61}},
		Fields: []Field{
			{"Etag", Set, []string{`"x"`}},
			{"Link", Add, []string{"<a>", "", "<b>"}},
			{"X-Gone", Remove, []string{}},
		},
		Body: []byte("body"),
	}
}

func decode(value []byte) (*Entry, error) { return decodeAt(value, sampleEntry().Key) }

// decodeAt is what a reader of memcached does with the value of a key.
func decodeAt(value []byte, key string) (*Entry, error) {
	v, err := Open(value)
	if err != nil {
		return nil, err
	}
	e := new(Entry)
	err = v.Entry(e, key)
	e.values = nil
	return e, err
}

func TestEntry_SurvivesEncoding(t *testing.T) {
	e := sampleEntry()
	got, err := decode(e.Encode())
	if err != nil || !reflect.DeepEqual(got, e) {
		t.Errorf("decoded = %+v, %v, want %+v", got, err, e)
	}
}

// TestEntry_DetachedFieldsStay when the entry of which it is a copy is used again.
func TestEntry_DetachedFieldsStay(t *testing.T) {
	decodeInto := func(e *Entry, of *Entry) {
		v, err := Open(of.Encode())
		if err == nil {
			err = v.Entry(e, of.Key)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	first, second := sampleEntry(), sampleEntry()
	for i := range second.Fields {
		second.Fields[i].Name = "X-Other"
		for j := range second.Fields[i].Values {
			second.Fields[i].Values[j] = "other"
		}
	}
	room := new(Entry)
	decodeInto(room, first)
	copied := *room
	copied.Detach()
	decodeInto(room, second)
	if !reflect.DeepEqual(copied.Fields, first.Fields) {
		t.Errorf("the fields of the copy are %q, want %q", copied.Fields, first.Fields)
	}
}

func TestEntry_ChunkedSurvivesEncoding(t *testing.T) {
	e := sampleEntry()
	e.Body, e.Size, e.ChunkSize, e.BodyID = nil, 100_000, 30_000, 1<<62
	got, err := decode(e.Encode())
	if err != nil || !reflect.DeepEqual(got, e) {
		t.Errorf("decoded = %+v, %v, want %+v", got, err, e)
	}
}

func TestEntry_DamageIsNoticed(t *testing.T) {
	value := sampleEntry().Encode()
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

func TestEntry_OfAnotherKeyIsGarbage(t *testing.T) {
	v, err := Open(sampleEntry().Encode())
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Entry(new(Entry), "other"); err == nil {
		t.Error("an entry that was stored for one key is accepted for another")
	}
}

func TestEntry_OfAnotherKindIsGarbage(t *testing.T) {
	value := sampleEntry().Encode()
	value[2] = byte(KindIndex)
	if _, err := decode(value); err == nil {
		t.Error("an index is accepted as an entry")
	}
}

// FuzzDecodeEntry computes the checksum of what it is given, which would keep the
// decoder from seeing it. The entry is read under whatever key it has.
func FuzzDecodeEntry(f *testing.F) {
	f.Add(sampleEntry().Encode()[headerSize:])
	f.Add([]byte{})
	f.Add([]byte{0, flagChunked, 0, 0, 0, 0, 0, 0, 0, 0, 200, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0})
	f.Fuzz(func(t *testing.T, rest []byte) {
		key := string((&decoder{rest}).framed())
		e, err := decodeAt(finish(append(begin(nil, KindEntry, 1), rest...)), key)
		if err != nil {
			return
		}
		if e.Chunked() && (e.Size > MaxChunks*e.ChunkSize || e.Body != nil) {
			t.Errorf("accepted %d bytes in chunks of %d", e.Size, e.ChunkSize)
		}
		if e.Status < 200 || e.Status > 999 || e.Terms.Age < 0 || e.Terms.Lifetime < 0 {
			t.Errorf("accepted %+v", e)
		}
		again, err := decodeAt(e.Encode(), key)
		if err != nil || len(again.Body) != len(e.Body) || len(again.Fields) != len(e.Fields) {
			t.Errorf("%+v encodes to %+v, %v", e, again, err)
		}
	})
}

// TestAge_ClocksMayDisagree: what another process received is not older or younger
// for it.
func TestAge_ClocksMayDisagree(t *testing.T) {
	now := time.Now()
	e := &Entry{Received: now.Add(time.Hour)}
	e.Terms.Age = 5 * time.Second
	if got := e.Age(now); got != 5*time.Second {
		t.Errorf("age of what comes from the future = %v, want what it had when it was received", got)
	}
}

// TestExpire_EndsTheLifetime at the time of a soft purge, whatever the clocks say.
func TestExpire_EndsTheLifetime(t *testing.T) {
	received := time.UnixMilli(1_790_000_000_000)
	for name, test := range map[string]struct {
		purged, now   time.Duration // after received
		lifetime, age time.Duration
	}{
		"while it was fresh":          {10 * time.Second, 12 * time.Second, 13 * time.Second, 15 * time.Second},
		"when it had ended":           {90 * time.Second, 95 * time.Second, time.Minute, 98 * time.Second},
		"by a clock that is ahead":    {20 * time.Second, 10 * time.Second, 23 * time.Second, 23 * time.Second},
		"by a clock that is behind":   {-time.Hour, 0, 3 * time.Second, 3 * time.Second},
		"by one ahead, long after it": {100 * time.Second, time.Second, time.Minute, time.Minute},
	} {
		e := &Entry{Received: received}
		e.Terms.Age, e.Terms.Lifetime = 3*time.Second, time.Minute
		e.Expire(received.Add(test.purged))
		if age := e.Age(received.Add(test.now)); e.Terms.Lifetime != test.lifetime || age != test.age {
			t.Errorf("%s: age %v of %v, want %v of %v", name, age, e.Terms.Lifetime, test.age, test.lifetime)
		}
	}
}
