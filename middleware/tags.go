package middleware

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"

	"github.com/bmemcached/bmemcached-go/binary"
)

// Tags group responses so that they can be purged together, in one write per tag
// however many responses carry it.
//
// There is one counter, the epoch, and one stamp per tag. A purge increments the
// epoch and makes its new value the tag's stamp. An entry remembers the stamps of
// its tags; it is good as long as they are still the same. A response whose
// making began before a purge is recognised by the epoch it began in. What
// memcached evicts only ever makes entries bad: a stamp that is missing matches
// none.

// maxTags bounds the tags of one response; with more it is not stored, because
// it could not be purged by each.
const maxTags = 128

const (
	tagNameSize  = 16
	tagStampSize = tagNameSize + 8
)

// tagName is a digest of a tag.
type tagName [tagNameSize]byte

// tagStamp is a tag of an entry, and its stamp when the entry was stored.
type tagStamp struct {
	name  tagName
	value uint64
}

func nameTag(tag string) tagName {
	sum := sha256.Sum256([]byte(tag))
	return tagName(sum[:tagNameSize])
}

func (k keyspace) tag(n tagName) string {
	return k.prefix + string(rune(letterTag)) + base64.RawURLEncoding.EncodeToString(n[:])
}

func (k keyspace) epoch() string { return k.prefix + string(rune(letterEpoch)) }

const kindTag itemKind = 'T' // the stamp is the id

// tagValue returns the stamp that a value holds.
func tagValue(item *memcached.Item) (uint64, bool) {
	if item == nil {
		return 0, false
	}
	kind, id, _, err := openItem(item.Value)
	return id, err == nil && kind == kindTag
}

// current reports whether the tag has not been purged.
func (t tagStamp) current(item *memcached.Item) bool {
	value, ok := tagValue(item)
	return ok && value == t.value
}

// tagsOf returns the tags of a response: Cache-Tag is separated by commas,
// Surrogate-Key by spaces.
func tagsOf(fields []field) []string {
	var tags []string
	for _, f := range fields {
		for _, v := range f.values {
			switch f.name {
			case "Cache-Tag":
				for tag := range strings.SplitSeq(v, ",") {
					tags = append(tags, strings.TrimSpace(tag))
				}
			case "Surrogate-Key":
				tags = append(tags, strings.Fields(v)...)
			}
		}
	}
	kept := tags[:0]
	for _, tag := range tags {
		if tag != "" {
			kept = append(kept, tag)
		}
	}
	return kept
}

// firstEpoch is the epoch when there is none: larger than any that was lost,
// because purges are rarer than microseconds.
func (c *Cache) firstEpoch() uint64 { return uint64(c.now().UnixMicro()) }

// readEpoch reads the epoch in which the making of a response begins, and with
// it the version of the lock, by which the response will replace it.
func (f *fill) readEpoch() {
	c := f.cache
	err := f.within(func(ctx context.Context) (err error) {
		if f.lock == f.name {
			items, err := c.client.GetMulti(ctx, []string{f.lock, c.keys.epoch()})
			if err != nil {
				return err
			}
			f.seeLock(items[f.lock])
			if f.epoch, f.hasEpoch = epochValue(items[c.keys.epoch()]); f.hasEpoch {
				return nil
			}
		}
		f.epoch, err = c.client.IncrementOrSet(ctx, c.keys.epoch(), 0, c.firstEpoch(), 0)
		f.hasEpoch = err == nil
		return err
	})
	if err != nil {
		f.fault(f.name, err)
	}
}

// seeLock takes note of the version of the lock.
func (f *fill) seeLock(item *memcached.Item) {
	if item == nil {
		return
	}
	if _, id, _, err := openItem(item.Value); err == nil && id == f.held.id {
		f.held.cas = item.CAS
		f.stamp = f.held
	}
}

// stampTags returns the current stamps of the tags of e. It reports false if one
// may have been purged since the making of e began.
func (f *fill) stampTags(ctx context.Context, e *entry) ([]tagStamp, bool, error) {
	c := f.cache
	names := uniqueTags(tagsOf(e.fields))
	if len(names) == 0 {
		return nil, true, nil
	}
	if len(names) > maxTags || !f.hasEpoch {
		return nil, false, nil
	}
	keys := make([]string, 0, len(names)+1)
	for _, n := range names {
		keys = append(keys, c.keys.tag(n))
	}
	keys = append(keys, c.keys.epoch())
	items, err := c.client.GetMulti(ctx, keys)
	if err != nil {
		return nil, false, err
	}
	epoch, ok := epochValue(items[c.keys.epoch()])
	if !ok || epoch < f.epoch {
		return nil, false, nil
	}
	tags := make([]tagStamp, len(names))
	for i, n := range names {
		value, ok := tagValue(items[keys[i]])
		if !ok {
			// Nobody knows whether this tag was purged, unless none was.
			if value, err = c.newTag(ctx, keys[i], epoch); err != nil || epoch != f.epoch {
				return nil, false, err
			}
		}
		if value > f.epoch {
			return nil, false, nil
		}
		tags[i] = tagStamp{n, value}
	}
	return tags, true, nil
}

// checkTags reports whether e may be given to those who wait for it: some may
// have come after a purge of one of its tags.
func (f *fill) checkTags(e *entry) (current bool, err error) {
	if f.flight == nil || len(tagsOf(e.fields)) == 0 {
		return true, nil
	}
	f.cache.flights.seal(f.flight)
	err = f.within(func(ctx context.Context) error {
		f.tags, current, err = f.stampTags(ctx, e)
		return err
	})
	f.stamped = err == nil
	return current, err
}

// newTag stores the first stamp of a tag, or returns the one that another just
// stored.
func (c *Cache) newTag(ctx context.Context, key string, epoch uint64) (uint64, error) {
	err := c.client.Add(ctx, &memcached.Item{Key: key, Value: encodeMark(kindTag, epoch)})
	if !errors.Is(err, memcached.ErrNotStored) {
		return epoch, err
	}
	item, err := c.client.Get(ctx, key)
	if err != nil {
		return 0, err
	}
	value, ok := tagValue(item)
	if !ok {
		return 0, errGarbage
	}
	return value, nil
}

func epochValue(item *memcached.Item) (uint64, bool) {
	if item == nil {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(item.Value)), 10, 64)
	return n, err == nil
}

func uniqueTags(tags []string) []tagName {
	seen := make(map[tagName]bool, len(tags))
	names := make([]tagName, 0, len(tags))
	for _, tag := range tags {
		if n := nameTag(tag); !seen[n] {
			seen[n] = true
			names = append(names, n)
		}
	}
	return names
}
