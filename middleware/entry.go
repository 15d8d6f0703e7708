package middleware

import (
	"encoding/binary"
	"net/http"
	"time"

	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
)

// entry is a stored response. It is not changed once it is made: several
// requests may send it at once.
type entry struct {
	id       uint64
	full     []byte // the whole key, framed
	status   int
	received time.Time
	terms    policy.Terms
	madeETag bool // the ETag is the cache's, not the handler's
	tags     []tagStamp
	fields   []field
	body     []byte

	// Of a body that is kept in chunks.
	size      int64
	chunkSize int64
}

func (e *entry) chunked() bool { return e.chunkSize > 0 }

// age is RFC 9111, section 4.2.3. Clocks of several processes may disagree;
// nothing is younger than when it was received.
func (e *entry) age(now time.Time) time.Duration {
	return e.terms.Age + max(0, now.Sub(e.received))
}

// get returns the first value of a stored field, or "".
func (e *entry) get(name string) string {
	for _, f := range e.fields {
		if f.name == name && len(f.values) > 0 {
			return f.values[0]
		}
	}
	return ""
}

const (
	flagNoCache = 1 << iota
	flagNoStale
	flagAllowAuthorized
	flagValidators
	flagMadeETag
	flagExplicit
	flagChunked
)

func (e *entry) flags() byte {
	var flags byte
	for _, f := range []struct {
		set bool
		bit byte
	}{
		{e.terms.NoCache, flagNoCache},
		{e.terms.NoStale, flagNoStale},
		{e.terms.AllowAuthorized, flagAllowAuthorized},
		{e.terms.Validators, flagValidators},
		{e.madeETag, flagMadeETag},
		{e.terms.Explicit, flagExplicit},
		{e.chunked(), flagChunked},
	} {
		if f.set {
			flags |= f.bit
		}
	}
	return flags
}

// encodeEntry returns the value of an entry, the body included unless it is
// kept in chunks.
func encodeEntry(e *entry) []byte {
	b := make([]byte, 0, itemHeader+len(e.full)+len(e.body)+64*len(e.fields)+128)
	b = appendItem(b, kindEntry, e.id)
	b = appendFramed(b, e.full)
	b = append(b, e.flags())
	b = binary.AppendUvarint(b, uint64(e.status))
	b = binary.AppendUvarint(b, uint64(e.received.UnixMilli()))
	for _, d := range []time.Duration{e.terms.Age, e.terms.Lifetime, e.terms.StaleWhileRevalidate, e.terms.StaleIfError} {
		b = binary.AppendUvarint(b, uint64(d.Milliseconds()))
	}
	b = binary.AppendUvarint(b, uint64(len(e.tags)))
	for _, t := range e.tags {
		b = append(b, t.name[:]...)
		b = binary.BigEndian.AppendUint64(b, t.value)
	}
	b = appendFramed(b, appendFields(nil, e.fields))
	if e.chunked() {
		b = binary.AppendUvarint(b, uint64(e.size))
		b = binary.AppendUvarint(b, uint64(e.chunkSize))
		return sealItem(b)
	}
	return sealItem(append(b, e.body...))
}

// decodeEntry reads the rest of a kindEntry value. The body aliases rest; the
// fields do not.
func decodeEntry(e *entry, id uint64, rest []byte) error {
	d := decoder{rest}
	*e = entry{id: id, full: d.framed()}
	flags := d.byte()
	e.status = int(min(d.uvarint(), 999))
	e.received = time.UnixMilli(int64(d.uvarint()))
	e.terms = policy.Terms{
		Freshness: policy.Freshness{
			Age: d.millis(), Lifetime: d.millis(), Explicit: flags&flagExplicit != 0,
		},
		StaleWhileRevalidate: d.millis(), StaleIfError: d.millis(),
		NoCache: flags&flagNoCache != 0, NoStale: flags&flagNoStale != 0,
		AllowAuthorized: flags&flagAllowAuthorized != 0, Validators: flags&flagValidators != 0,
	}
	e.madeETag = flags&flagMadeETag != 0
	if n := d.count(tagStampSize); n > 0 {
		e.tags = make([]tagStamp, n)
		for i := range e.tags {
			copy(e.tags[i].name[:], d.bytes(tagNameSize))
			e.tags[i].value = d.uint64()
		}
	}
	fields := d.framed()
	if d.failed() || e.status < 200 {
		return errGarbage
	}
	var err error
	if e.fields, err = decodeFields(string(fields)); err != nil {
		return err
	}
	if flags&flagChunked == 0 {
		e.body = d.rest
		return nil
	}
	return e.decodeChunked(&d)
}

func (e *entry) decodeChunked(d *decoder) error {
	size, chunkSize := d.uvarint(), d.uvarint()
	if d.failed() || len(d.rest) > 0 || chunkSize == 0 || chunkSize > maxItem || size > maxChunks*chunkSize {
		return errGarbage
	}
	e.size, e.chunkSize = int64(size), int64(chunkSize)
	return nil
}

// millis reads a duration; absurd ones count as the longest that is ever stored.
func (d *decoder) millis() time.Duration {
	const longest = uint64(1<<31) * 1000
	return time.Duration(min(d.uvarint(), longest)) * time.Millisecond
}

func (d *decoder) uint64() uint64 {
	b := d.bytes(8)
	if len(b) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

// selected returns what conditions of requests are compared with.
func (e *entry) selected() policy.Selected {
	return policy.Selected{ETag: e.get("Etag"), LastModified: e.get("Last-Modified"), Date: e.received}
}

// validators adds the conditions by which the handler can confirm the entry.
func (e *entry) addValidators(h http.Header) bool {
	added := false
	if etag := e.get("Etag"); etag != "" && !e.madeETag {
		h["If-None-Match"] = []string{etag}
		added = true
	}
	if modified := e.get("Last-Modified"); modified != "" {
		h["If-Modified-Since"] = []string{modified}
		added = true
	}
	return added
}
