package stored

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// MaxTags bounds the tags of one response; with more it is not stored, because
// it could not be purged by each.
const MaxTags = 128

const (
	tagNameSize = 16
	tagSize     = tagNameSize + 8 + 8
)

// TagName is a digest of a tag.
type TagName [tagNameSize]byte

// Tag is a tag of an entry.
type Tag struct {
	Name TagName
	// Purge and Soft are the IDs of the tag's last purges when the entry was stored.
	Purge, Soft uint64
}

// Purges is what memcached knows of a tag. Purges are told apart by random IDs, which
// nobody can foresee; the number only says what came first.
type Purges struct {
	ID     uint64      // of the last purge
	Number uint64      // of the last purge or soft purge, among those of all tags
	Soft   []SoftPurge // those since then, the latest last
}

// Soften adds a soft purge.
func (p Purges) Soften(when time.Time) Purges {
	p.Soft = addSoft(p.Soft, SoftPurge{NewID(), when})
	return p
}

// Tag returns what a response remembers that is stored now.
func (p Purges) Tag(name TagName) Tag {
	t := Tag{Name: name, Purge: p.ID}
	if n := len(p.Soft); n > 0 {
		t.Soft = p.Soft[n-1].ID
	}
	return t
}

// NameTag returns the name of a tag.
func NameTag(tag string) TagName {
	sum := sha256.Sum256([]byte(tag))
	return TagName(sum[:tagNameSize])
}

// NameTags returns a function that names a tag which begins with base, and adds a part
// to it each time that it is called.
func NameTags(base string) func(part string) TagName {
	sum := sha256.New()
	_, _ = io.WriteString(sum, base)
	return func(part string) TagName {
		_, _ = io.WriteString(sum, part)
		return TagName(sum.Sum(nil)[:tagNameSize])
	}
}

// UniqueTags returns the names of tags, each once.
func UniqueTags(tags []string) []TagName {
	seen := make(map[TagName]bool, len(tags))
	names := make([]TagName, 0, len(tags))
	for _, tag := range tags {
		if n := NameTag(tag); !seen[n] {
			seen[n] = true
			names = append(names, n)
		}
	}
	return names
}

// TagsOf returns the tags of a response, whoever set them: Cache-Tag is separated by
// commas, Surrogate-Key by spaces.
func TagsOf(h http.Header) []string {
	var tags []string
	for _, v := range h["Cache-Tag"] {
		for tag := range strings.SplitSeq(v, ",") {
			tags = append(tags, strings.TrimSpace(tag))
		}
	}
	for _, v := range h["Surrogate-Key"] {
		tags = append(tags, strings.Fields(v)...)
	}
	kept := tags[:0]
	for _, tag := range tags {
		if tag != "" {
			kept = append(kept, tag)
		}
	}
	return kept
}

// Encode returns the value of a tag.
func (p Purges) Encode() []byte {
	b := begin(make([]byte, 0, headerSize+8+len(p.Soft)*16), KindTag, p.ID)
	b = binary.BigEndian.AppendUint64(b, p.Number)
	return finish(appendSoft(b, p.Soft))
}

// OpenPurges returns what b, the value of a tag, says.
func OpenPurges(b []byte) (Purges, bool) {
	v, err := Open(b)
	if err != nil || v.Kind != KindTag {
		return Purges{}, false
	}
	d := decoder{v.rest}
	p := Purges{ID: v.ID, Number: d.uint64()}
	p.Soft = d.soft(len(d.rest) / softSize)
	return p, !d.failed() && len(d.rest) == 0
}

// Check reports whether e may still be used, as far as a tag of it is concerned of which
// memcached holds b. It has it expire when the first soft purge since it was stored came.
func (t Tag) Check(e *Entry, b []byte) bool {
	p, ok := OpenPurges(b)
	if !ok || p.ID != t.Purge {
		return false
	}
	last := slices.IndexFunc(p.Soft, func(soft SoftPurge) bool { return soft.ID == t.Soft })
	switch {
	case last == len(p.Soft)-1:
	case last < 0 && (t.Soft != 0 || len(p.Soft) == MaxSoftPurges):
		e.Expire(e.Received) // too many are forgotten
	default:
		e.Expire(p.Soft[last+1].When)
	}
	return true
}
