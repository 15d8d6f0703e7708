package stored

import (
	"encoding/binary"
	"net/http"
	"time"

	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
)

// Entry is a stored response. It is not changed once it is made: several
// requests may send it at once.
type Entry struct {
	ID       uint64
	Key      string // in memcached
	Status   int
	Received time.Time
	Terms    policy.Terms
	MadeETag bool   // the ETag is the cache's, not the handler's
	Unsent   bool   // the handler stated a status and left the sending to others
	Implied  bool   // the handler stated no status: the first byte did
	Wrote    bool   // the handler wrote the body, even if there is nothing in it
	Expired  bool   // by a soft purge, which came when it was as old as its lifetime now is
	Index    uint64 // ID of the index when the making of this variant began; 0: no variant
	Tags     []Tag
	Fields   []Field
	Body     []byte
	values   []string // room for those of Fields

	// Of a body that is kept in chunks.
	Size      int64
	ChunkSize int64
	BodyID    uint64
}

// Age is RFC 9111, section 4.2.3. Clocks of several processes may disagree;
// nothing is younger than when it was received, or when it was purged.
func (e *Entry) Age(now time.Time) time.Duration {
	age := e.Terms.Age + max(0, now.Sub(e.Received))
	if e.Expired {
		return max(age, e.Terms.Lifetime)
	}
	return age
}

// Expire ends the lifetime of e at a time that is over.
func (e *Entry) Expire(at time.Time) {
	e.Terms.Lifetime = min(e.Terms.Lifetime, e.Terms.Age+max(0, at.Sub(e.Received)))
	e.Expired = true
}

// Get returns the first value of a stored field, or "".
func (e *Entry) Get(name string) string {
	for _, f := range e.Fields {
		if f.Name == name && len(f.Values) > 0 {
			return f.Values[0]
		}
	}
	return ""
}

// Lines returns how many values the stored fields have.
func (e *Entry) Lines() int {
	n := 0
	for i := range e.Fields {
		n += len(e.Fields[i].Values)
	}
	return n
}

// Detach gives e fields of its own, which stay when memory of the entry of which it is a
// copy is used again.
func (e *Entry) Detach() {
	fields, values := make([]Field, len(e.Fields)), make([]string, 0, e.Lines())
	for i, f := range e.Fields {
		start := len(values)
		values = append(values, f.Values...)
		fields[i] = Field{Name: f.Name, Mode: f.Mode, Values: values[start:len(values):len(values)]}
	}
	e.Fields, e.values = fields, nil
}

const (
	flagNoCache = 1 << iota
	flagNoStale
	flagAllowAuthorized
	flagValidators
	flagMadeETag
	flagExplicit
	flagChunked
	flagUnsent
	flagExpired
	flagImplied
	flagWrote
)

func (e *Entry) flags() uint64 {
	var flags uint64
	for _, f := range []struct {
		set bool
		bit uint64
	}{
		{e.Terms.NoCache, flagNoCache},
		{e.Terms.NoStale, flagNoStale},
		{e.Terms.AllowAuthorized, flagAllowAuthorized},
		{e.Terms.Validators, flagValidators},
		{e.MadeETag, flagMadeETag},
		{e.Terms.Explicit, flagExplicit},
		{e.Chunked(), flagChunked},
		{e.Unsent, flagUnsent},
		{e.Expired, flagExpired},
		{e.Implied, flagImplied},
		{e.Wrote, flagWrote},
	} {
		if f.set {
			flags |= f.bit
		}
	}
	return flags
}

// Encode returns the value of an entry, the body included unless it is kept in
// chunks.
func (e *Entry) Encode() []byte {
	b := make([]byte, 0, headerSize+len(e.Key)+len(e.Body)+64*len(e.Fields)+128)
	b = begin(b, KindEntry, e.ID)
	b = AppendFramed(b, e.Key)
	b = binary.AppendUvarint(b, e.flags())
	b = binary.BigEndian.AppendUint64(b, e.Index)
	b = binary.AppendUvarint(b, uint64(e.Status))
	b = binary.AppendUvarint(b, uint64(e.Received.UnixMilli()))
	for _, d := range []time.Duration{e.Terms.Age, e.Terms.Lifetime, e.Terms.StaleWhileRevalidate, e.Terms.StaleIfError} {
		b = binary.AppendUvarint(b, uint64(d.Milliseconds()))
	}
	b = binary.AppendUvarint(b, uint64(len(e.Tags)))
	for _, t := range e.Tags {
		b = append(b, t.Name[:]...)
		b = binary.BigEndian.AppendUint64(b, t.Purge)
		b = binary.BigEndian.AppendUint64(b, t.Soft)
	}
	b = AppendFramed(b, appendFields(nil, e.Fields))
	if e.Chunked() {
		b = binary.AppendUvarint(b, uint64(e.Size))
		b = binary.AppendUvarint(b, uint64(e.ChunkSize))
		b = binary.BigEndian.AppendUint64(b, e.BodyID)
		return finish(b)
	}
	return finish(append(b, e.Body...))
}

// Entry makes e the entry that v is, if it was stored under key. The body aliases
// what was opened; the fields do not. What others may have written is checked like
// input from the network, and costs no more memory than it is long, and a little. The
// Fields that e had are gone: their memory is used again.
func (v Value) Entry(e *Entry, key string) error {
	d := decoder{v.rest}
	if v.Kind != KindEntry || string(d.framed()) != key {
		return ErrGarbage
	}
	*e = Entry{ID: v.ID, Key: key, Fields: e.Fields, values: e.values}
	flags := d.uvarint()
	e.Index = d.uint64()
	e.Status = int(min(d.uvarint(), 999))
	e.Received = time.UnixMilli(int64(d.uvarint()))
	e.Terms = policy.Terms{
		Freshness: policy.Freshness{
			Age: d.millis(), Lifetime: d.millis(), Explicit: flags&flagExplicit != 0,
		},
		StaleWhileRevalidate: d.millis(), StaleIfError: d.millis(),
		NoCache: flags&flagNoCache != 0, NoStale: flags&flagNoStale != 0,
		AllowAuthorized: flags&flagAllowAuthorized != 0, Validators: flags&flagValidators != 0,
	}
	e.MadeETag, e.Unsent, e.Expired = flags&flagMadeETag != 0, flags&flagUnsent != 0, flags&flagExpired != 0
	e.Implied, e.Wrote = flags&flagImplied != 0, flags&flagWrote != 0
	if n := d.count(tagSize); n > MaxTags {
		return ErrGarbage
	} else if n > 0 {
		e.Tags = make([]Tag, n)
		for i := range e.Tags {
			copy(e.Tags[i].Name[:], d.bytes(tagNameSize))
			e.Tags[i].Purge, e.Tags[i].Soft = d.uint64(), d.uint64()
		}
	}
	fields := d.framed()
	if d.failed() || e.Status < 200 {
		return ErrGarbage
	}
	if err := e.decodeFields(string(fields)); err != nil {
		return err
	}
	if flags&flagChunked == 0 {
		e.Body = d.rest
	} else if err := e.decodeChunked(&d); err != nil {
		return err
	}
	if !Sendable(e.Fields, max(e.Size, int64(len(e.Body)))) {
		return ErrGarbage
	}
	return nil
}

// Overhead estimates, from above, what the value of e has besides the body.
func (e *Entry) Overhead() int64 {
	n := int64(headerSize + len(e.Key) + 128 + len(e.Tags)*tagSize)
	for _, f := range e.Fields {
		n += int64(len(f.Name)) + 12
		for _, v := range f.Values {
			n += int64(len(v)) + 10
		}
	}
	return n
}

func (e *Entry) decodeChunked(d *decoder) error {
	size, chunkSize, body := d.uvarint(), d.uvarint(), d.uint64()
	if d.failed() || len(d.rest) > 0 || chunkSize < minChunk || chunkSize > MaxValue || size > MaxChunks*chunkSize {
		return ErrGarbage
	}
	e.Size, e.ChunkSize, e.BodyID = int64(size), int64(chunkSize), body
	return nil
}

// Selected returns what conditions of requests are compared with.
func (e *Entry) Selected() policy.Selected {
	return policy.Selected{ETag: e.Get("Etag"), LastModified: e.Get("Last-Modified"), Date: e.Received}
}

// AddValidators adds the conditions by which the handler can confirm the entry,
// and reports false if there are none. An ETag that the cache made means nothing
// to the handler.
func (e *Entry) AddValidators(h http.Header) bool {
	added := false
	if etag := e.Get("Etag"); etag != "" && !e.MadeETag {
		h["If-None-Match"] = []string{etag}
		added = true
	}
	if modified := e.Get("Last-Modified"); modified != "" {
		h["If-Modified-Since"] = []string{modified}
		added = true
	}
	return added
}
