package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// tags keeps a counter for every tag. An item records the versions of its tags,
// which are the numbers of their counters when it was stored. It is valid while
// the counters have these numbers. Invalidating a tag raises its counter once,
// however many items have the tag. No list of items is kept, so none can lose
// one.
//
// Items are invalid when the counter of a tag is missing.
type tags struct {
	client Client
	prefix string
}

// tagVersion is a tag at a time: the key of its counter, and its number.
type tagVersion struct {
	key     string
	version uint64
}

// current reports whether the counter still has this version.
func (v *tagVersion) current(counter []byte) bool {
	n, err := parseCount(counter)
	return err == nil && n == v.version
}

// allCurrent reports whether all counters still have these versions.
func allCurrent(counters map[string]*memcached.Item, versions []tagVersion) bool {
	for i := range versions {
		v := &versions[i]
		if item := counters[v.key]; item == nil || !v.current(item.Value) {
			return false
		}
	}
	return true
}

// keys returns the keys of the counters of tags, each once.
func (t *tags) keys(names []string) []string {
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = tagKey(t.prefix, name)
	}
	if len(keys) > 1 {
		slices.Sort(keys)
		keys = slices.Compact(keys)
	}
	return keys
}

// valid reports whether an item with these versions is valid.
func (t *tags) valid(ctx context.Context, versions []tagVersion) (bool, error) {
	if len(versions) == 1 {
		var buf [maxDigits]byte
		value, _, err := t.client.AppendValue(ctx, buf[:0], versions[0].key)
		if errors.Is(err, memcached.ErrCacheMiss) {
			return false, nil
		}
		return err == nil && versions[0].current(value), err
	}
	keys := make([]string, len(versions))
	for i, v := range versions {
		keys[i] = v.key
	}
	counters, err := t.client.GetMulti(ctx, keys)
	if err != nil {
		return false, anyError(err)
	}
	return allCurrent(counters, versions), nil
}

// invalidate raises the counters of tags. A tag without a counter has no valid
// items.
func (t *tags) invalidate(ctx context.Context, names []string) error {
	keys := t.keys(names)
	return each(len(keys), func(i int) error {
		_, err := t.client.Increment(ctx, keys[i], 1)
		if uncertain(err) {
			// Raising it twice does no harm.
			_, err = t.client.Increment(ctx, keys[i], 1)
		}
		if errors.Is(err, memcached.ErrCacheMiss) {
			return nil
		}
		return err
	})
}

// versions returns the versions for an item with this TTL. Counters that are
// missing are created, and those that would not outlive the item are prolonged.
func (t *tags) versions(ctx context.Context, keys []string, ttl, tagsTTL time.Duration) ([]tagVersion, error) {
	life := newLifetime(ttl, tagsTTL)
	if len(keys) == 1 {
		version, err := t.version(ctx, keys[0], life)
		return []tagVersion{{keys[0], version}}, err
	}
	items, err := t.client.GetMulti(ctx, keys)
	if err != nil {
		return nil, anyError(err)
	}
	versions := make([]tagVersion, len(keys))
	var lacking []int
	for i, key := range keys {
		versions[i].key = key
		item := items[key]
		if item == nil || !life.covered(item.Flags) {
			lacking = append(lacking, i)
		} else if versions[i].version, err = parseCount(item.Value); err != nil {
			return nil, err
		}
	}
	err = each(len(lacking), func(n int) error {
		v := &versions[lacking[n]]
		var err error
		v.version, err = t.ensure(ctx, v.key, items[v.key], life)
		return err
	})
	return versions, err
}

// version is versions for one key.
func (t *tags) version(ctx context.Context, key string, life lifetime) (uint64, error) {
	var buf [maxDigits]byte
	value, flags, err := t.client.AppendValue(ctx, buf[:0], key)
	var item *memcached.Item
	switch {
	case err == nil && life.covered(flags):
		return parseCount(value)
	case err == nil:
		item, err = t.client.Get(ctx, key)
	}
	if err != nil && !errors.Is(err, memcached.ErrCacheMiss) {
		return 0, err
	}
	return t.ensure(ctx, key, item, life)
}

// ensure returns the version of a tag, after creating its counter or prolonging
// it where needed. item is the counter, or nil.
func (t *tags) ensure(ctx context.Context, key string, item *memcached.Item, life lifetime) (uint64, error) {
	for attempt := range maxAttempts {
		if item == nil {
			version := firstCount()
			err := t.client.Add(ctx, tagCounter(key, version, life.first))
			if err == nil || !errors.Is(err, memcached.ErrNotStored) {
				return version, err
			}
		} else {
			version, err := parseCount(item.Value)
			if err != nil || life.covered(item.Flags) {
				return version, err
			}
			item.Key = key
			done, err := t.prolong(ctx, item, version, life, attempt == maxAttempts-1)
			if done || err != nil {
				return version, err
			}
		}
		var err error
		item, err = t.client.Get(ctx, key)
		if err != nil && !errors.Is(err, memcached.ErrCacheMiss) {
			return 0, err
		}
	}
	return 0, errContended
}

// prolong gives a counter a longer TTL, and reports whether it did: not if
// another client changed the counter. Without compare-and-swap, or if touch is
// set, it only touches the counter: the stamp stays, so that every further item
// has to touch it again.
func (t *tags) prolong(ctx context.Context, item *memcached.Item, version uint64, life lifetime, touch bool) (bool, error) {
	if item.CAS != 0 && !touch {
		longer := tagCounter(item.Key, version, life.prolonged())
		longer.CAS = item.CAS
		switch err := t.client.CompareAndSwap(ctx, longer); {
		case err == nil:
			return true, nil
		case errors.Is(err, memcached.ErrCASConflict), errors.Is(err, memcached.ErrCacheMiss):
			return false, nil
		}
	}
	err := t.client.Touch(ctx, item.Key, life.prolonged())
	if errors.Is(err, memcached.ErrCacheMiss) {
		return false, nil
	}
	return err == nil, err
}
