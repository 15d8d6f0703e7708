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
// There is one counter, the epoch, and one stamp per tag. A purge increments the
// epoch and makes its new value the tag's stamp. An entry remembers the stamps of
// its tags; it is good as long as they are still the same. A response whose
// making began before a purge is recognised by the epoch it began in. What
// memcached evicts only ever makes entries bad: a stamp that is missing matches
// none.

// maxTags bounds the tags of one response; with more it is not stored, because
// it could not be purged by each.
const maxTags = 128

func (k keyspace) tag(n stored.TagName) string {
	return k.prefix + string(rune(letterTag)) + base64.RawURLEncoding.EncodeToString(n[:])
}

func (k keyspace) epoch() string { return k.prefix + string(rune(letterEpoch)) }

// tagsCurrent reports whether none of the tags of e has been purged, of which
// items has what memcached knows.
func (c *Cache) tagsCurrent(e *stored.Entry, items map[string]*memcached.Item) bool {
	for _, t := range e.Tags {
		if !t.Current(valueOf(items[c.keys.tag(t.Name)])) {
			return false
		}
	}
	return true
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
	if v, err := stored.Open(item.Value); err == nil && v.ID == f.held.id {
		f.held.cas = item.CAS
		f.stamp = f.held
	}
}

// stampTags returns the current stamps of the tags of e. It reports false if one
// may have been purged since the making of e began.
func (f *fill) stampTags(ctx context.Context, e *stored.Entry) ([]stored.Tag, bool, error) {
	c := f.cache
	names := stored.UniqueTags(stored.TagsOf(e.Fields))
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
	tags := make([]stored.Tag, len(names))
	for i, n := range names {
		value, ok := stored.LastPurge(valueOf(items[keys[i]]))
		if !ok {
			// Nobody knows whether this tag was purged, unless none was.
			if value, err = c.newTag(ctx, keys[i], epoch); err != nil || epoch != f.epoch {
				return nil, false, err
			}
		}
		if value > f.epoch {
			return nil, false, nil
		}
		tags[i] = stored.Tag{Name: n, Purge: value}
	}
	return tags, true, nil
}

// checkTags reports whether e may be given to those who wait for it: some may
// have come after a purge of one of its tags.
func (f *fill) checkTags(e *stored.Entry) (current bool, err error) {
	if f.flight == nil || len(stored.TagsOf(e.Fields)) == 0 {
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
	err := c.client.Add(ctx, &memcached.Item{Key: key, Value: stored.Mark(stored.KindTag, epoch)})
	if !errors.Is(err, memcached.ErrNotStored) {
		return epoch, err
	}
	item, err := c.client.Get(ctx, key)
	if err != nil {
		return 0, err
	}
	value, ok := stored.LastPurge(item.Value)
	if !ok {
		return 0, stored.ErrGarbage
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
