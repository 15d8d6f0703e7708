package stored

import (
	"crypto/sha256"
	"net/http"
	"strings"
)

// MaxTags bounds the tags of one response; with more it is not stored, because
// it could not be purged by each.
const MaxTags = 128

const (
	tagNameSize = 16
	tagSize     = tagNameSize + 8
)

// TagName is a digest of a tag.
type TagName [tagNameSize]byte

// Tag is a tag of an entry.
type Tag struct {
	Name TagName
	// Purge is the number of the tag's last purge when the entry was stored.
	Purge uint64
}

// NameTag returns the name of a tag.
func NameTag(tag string) TagName {
	sum := sha256.Sum256([]byte(tag))
	return TagName(sum[:tagNameSize])
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

// LastPurge returns the number of a tag's last purge, which b in memcached holds.
func LastPurge(b []byte) (uint64, bool) {
	v, err := Open(b)
	return v.ID, err == nil && v.Kind == KindTag
}

// Current reports whether the tag, of which memcached holds b, has not been
// purged since the entry was stored.
func (t Tag) Current(b []byte) bool {
	purge, ok := LastPurge(b)
	return ok && purge == t.Purge
}
