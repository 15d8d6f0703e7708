package store

import (
	"strconv"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

const (
	// defaultTagsTTL is how long a tag's counter lives at least, as in gocache's
	// other stores.
	defaultTagsTTL = 720 * time.Hour

	// tagMargin is how much longer than its items a tag's counter lives: the
	// server's clock has whole seconds.
	tagMargin = 2 * time.Second

	maxDuration = time.Duration(1<<63 - 1)
)

// lifetime is how long the counter of a tag must live for an item. 0 does not
// expire.
type lifetime struct {
	least time.Duration // the item's TTL and a margin
	first time.Duration // TTL of a new counter
}

func newLifetime(ttl, tagsTTL time.Duration) lifetime {
	if ttl == 0 {
		return lifetime{}
	}
	if tagsTTL == 0 {
		tagsTTL = defaultTagsTTL
	}
	least := ttl + min(tagMargin, maxDuration-ttl)
	return lifetime{least: least, first: max(least, tagsTTL)}
}

// prolonged is the new TTL of a counter whose TTL is too short. It is longer
// than needed, so that not every item has to prolong it.
func (l lifetime) prolonged() time.Duration {
	return l.first + min(l.first/8, maxDuration-l.first)
}

// covered reports whether a counter with these flags lives long enough.
func (l lifetime) covered(flags uint32) bool {
	form, left, expires := split(flags, time.Now())
	switch {
	case form.class == classForeign:
		return false
	case !expires:
		return true
	default:
		return l.least != 0 && left >= l.least
	}
}

// tagCounter returns the item of a tag's counter.
func tagCounter(key string, version uint64, ttl time.Duration) *memcached.Item {
	return &memcached.Item{
		Key:   key,
		Value: strconv.AppendUint(nil, version, 10),
		Flags: form{class: classNative, kind: kindUint64}.join(time.Now(), ttl),
		TTL:   ttl,
	}
}
