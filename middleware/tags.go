package middleware

import (
	"context"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// Tags group responses so that they can be purged together, in one write per tag
// however many responses carry it.
//
// There is one counter of purges, and one value per tag with the random ID of its
// last purge, and its number by the counter. An entry remembers the IDs of its tags; it
// is good as long as they are still the same. A response whose making began before a
// purge is recognised by the number. What memcached evicts only ever makes entries bad:
// an ID that is missing equals none. The counter is the only value that is not sealed;
// who changes it can keep responses from being stored, and cannot undo the purge of those
// that are.

func (k keyspace) tag(n stored.TagName) string {
	if len(k.macs) > 0 {
		return k.of(letterTag, n[:])
	}
	return k.prefix + string(rune(letterTag)) + base64.RawURLEncoding.EncodeToString(n[:])
}

// tags returns the keys of a tag under each of the keys.
func (k keyspace) tags(n stored.TagName) []string {
	if len(k.macs) > 0 {
		return k.all(letterTag, n[:])
	}
	return []string{k.tag(n)}
}

func (k keyspace) purges() string { return k.prefix + string(rune(letterPurges)) }

// checkTags reports whether none of the tags of e has been purged, of which items has
// what memcached knows. It has e expire if one has been purged softly.
func (c *Cache) checkTags(e *stored.Entry, items map[string]*memcached.Item) bool {
	for _, t := range e.Tags {
		if !t.Check(e, valueOf(items[c.keys.tag(t.Name)])) {
			return false
		}
	}
	return true
}

// firstPurge is the number of purges when it is not known: larger than any that
// was lost, because purges are rarer than microseconds.
func (c *Cache) firstPurge() uint64 { return uint64(c.now().UnixMicro()) }

// countPurges adds to the number of purges and returns it. What is no number is not of
// this cache, and as if it had been evicted.
func (c *Cache) countPurges(ctx context.Context, more uint64) (uint64, error) {
	n, err := c.client.IncrementOrSet(ctx, c.keys.purges(), more, c.firstPurge(), 0)
	if !errors.Is(err, memcached.ErrNotNumber) {
		return n, err
	}
	if err := c.forgetPurges(ctx); err != nil {
		return 0, err
	}
	return c.client.IncrementOrSet(ctx, c.keys.purges(), more, c.firstPurge(), 0)
}

// forgetPurges removes the number of purges. The next one is larger than any that was.
func (c *Cache) forgetPurges(ctx context.Context) error {
	err := c.client.Delete(ctx, c.keys.purges())
	if errors.Is(err, memcached.ErrCacheMiss) {
		return nil
	}
	return err
}

// readPurges reads the number of purges when the making of a response begins, and
// with it the CAS of the lock, by which the response will replace it.
func (f *fill) readPurges() {
	c := f.cache
	err := f.within(func(ctx context.Context) (err error) {
		if f.lock.isAt(f.name) {
			items, err := c.client.GetMulti(ctx, []string{f.lock.key, c.keys.purges()})
			if err != nil {
				return err
			}
			f.lock.see(items[f.lock.key])
			f.version = f.lock.version
			if f.purges, f.hasPurges = purgesIn(items[c.keys.purges()]); f.hasPurges {
				return nil
			}
		}
		f.purges, err = c.countPurges(ctx, 0)
		f.hasPurges = err == nil
		return err
	})
	if err != nil {
		f.fault(f.name, err)
	}
}

// readTags returns the tags of the response with the numbers of their last purges. It
// reports false if one may have been purged since its making began.
func (f *fill) readTags(ctx context.Context) ([]stored.Tag, bool, error) {
	c := f.cache
	names := f.tagNames
	if len(names) == 0 {
		return nil, true, nil
	}
	if len(names) > stored.MaxTags || !f.hasPurges {
		return nil, false, nil
	}
	keys := make([]string, 0, len(names)+1)
	for _, n := range names {
		keys = append(keys, c.keys.tag(n))
	}
	keys = append(keys, c.keys.purges())
	items, err := c.client.GetMulti(ctx, keys)
	if err != nil {
		return nil, false, err
	}
	purges, ok := purgesIn(items[c.keys.purges()])
	if !ok || purges < f.purges {
		return nil, false, nil
	}
	tags := make([]stored.Tag, len(names))
	for i, n := range names {
		last, ok := stored.OpenPurges(valueOf(items[keys[i]]))
		if !ok {
			// Nobody knows whether this tag was purged, unless none was.
			if last, err = c.newTag(ctx, keys[i], purges); err != nil || purges != f.purges {
				return nil, false, err
			}
		}
		if last.Number > purges {
			// Somebody has set the number back: nothing could be stored any more.
			return nil, false, c.forgetPurges(ctx)
		}
		if last.Number > f.purges {
			return nil, false, nil
		}
		tags[i] = last.Tag(n)
	}
	return tags, true, nil
}

// mayPublish reports whether e may be given to those who wait for it: some may
// have come after a purge of one of its tags.
func (f *fill) mayPublish(e *stored.Entry) (current bool, err error) {
	if f.flight == nil || len(f.tagNames) == 0 {
		return true, nil
	}
	f.cache.flights.endJoining(f.flight)
	err = f.within(func(ctx context.Context) error {
		f.tags, current, err = f.readTags(ctx)
		return err
	})
	f.tagsRead = err == nil
	return current, err
}

// newTag stores the first value of a tag, or returns the one that another just stored.
func (c *Cache) newTag(ctx context.Context, key string, purges uint64) (stored.Purges, error) {
	first := stored.Purges{ID: stored.NewID(), Number: purges}
	err := c.client.Add(ctx, &memcached.Item{Key: key, Value: first.Encode()})
	if !errors.Is(err, memcached.ErrNotStored) {
		return first, err
	}
	item, err := c.client.Get(ctx, key)
	if err != nil {
		return stored.Purges{}, err
	}
	last, ok := stored.OpenPurges(item.Value)
	if !ok {
		return stored.Purges{}, stored.ErrGarbage
	}
	return last, nil
}

func purgesIn(item *memcached.Item) (uint64, bool) {
	if item == nil {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(item.Value)), 10, 64)
	return n, err == nil
}
