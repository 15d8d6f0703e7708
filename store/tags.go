package store

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// Tags are counters on the server. An item records where the counters of its
// tags stood when it was stored, and is valid while they still stand there.
// Invalidating a tag raises its counter, once, however many items have it.
// Nothing has to be remembered per item, so nothing can be forgotten.
//
// A counter that is missing makes its items invalid. It starts at the clock's
// microseconds, so that one that was evicted comes back with a number that no
// item has.
type tags struct {
	client Client
	prefix string
}

const (
	// defaultTagsTTL is how long counters live at least, as in gocache's
	// other stores.
	defaultTagsTTL = 720 * time.Hour

	// tagMargin is how much longer than its items a counter lives: the
	// server's clock has whole seconds.
	tagMargin = 2 * time.Second

	// maxAttempts is how often something is tried that others can thwart by
	// changing the same item at the same moment.
	maxAttempts = 16

	// maxParallel is how many operations one call has under way at once.
	maxParallel = 32
)

// keys returns the keys of the counters of names, each once.
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

// counterLen is more than a counter has digits.
const counterLen = 24

// hold reports whether the counters still stand where they are said to.
func (t *tags) hold(ctx context.Context, versions []tagVersion) (bool, error) {
	if len(versions) == 1 {
		var buf [counterLen]byte
		value, _, err := t.client.AppendValue(ctx, buf[:0], versions[0].key)
		if errors.Is(err, memcached.ErrCacheMiss) {
			return false, nil
		}
		return err == nil && versions[0].standsAt(value), err
	}
	keys := make([]string, len(versions))
	for i, v := range versions {
		keys[i] = v.key
	}
	items, err := t.client.GetMulti(ctx, keys)
	if err != nil {
		return false, anyError(err)
	}
	return standAt(items, versions), nil
}

func standAt(counters map[string]*memcached.Item, versions []tagVersion) bool {
	for i := range versions {
		v := &versions[i]
		if item := counters[v.key]; item == nil || !v.standsAt(item.Value) {
			return false
		}
	}
	return true
}

func (v *tagVersion) standsAt(counter []byte) bool {
	n, err := parseCounter(counter)
	return err == nil && n == v.version
}

// versions returns where the counters stand. Those that are missing, or would
// not outlive an item of that TTL, are made to.
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
		} else if versions[i].version, err = parseCounter(item.Value); err != nil {
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
	var buf [counterLen]byte
	value, flags, err := t.client.AppendValue(ctx, buf[:0], key)
	var item *memcached.Item
	switch {
	case err == nil && life.covered(flags):
		return parseCounter(value)
	case err == nil:
		item, err = t.client.Get(ctx, key)
	}
	if err != nil && !errors.Is(err, memcached.ErrCacheMiss) {
		return 0, err
	}
	return t.ensure(ctx, key, item, life)
}

// ensure returns where a counter stands, after creating it or prolonging its
// life where needed. item is the counter, or nil.
func (t *tags) ensure(ctx context.Context, key string, item *memcached.Item, life lifetime) (uint64, error) {
	for attempt := range maxAttempts {
		if item == nil {
			version := microseconds()
			err := t.client.Add(ctx, life.counter(key, version, life.first))
			if err == nil || !errors.Is(err, memcached.ErrNotStored) {
				return version, err
			}
		} else {
			version, err := parseCounter(item.Value)
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

// prolong makes a counter live longer, unless somebody else changed it. Where
// there is no compare-and-swap it leaves the stamp as it is, at the price of a
// touch for every item stored.
func (t *tags) prolong(ctx context.Context, item *memcached.Item, version uint64, life lifetime, touch bool) (bool, error) {
	if item.CAS != 0 && !touch {
		longer := life.counter(item.Key, version, life.prolonged())
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

// invalidate raises the counters. One that is missing has no valid items.
func (t *tags) invalidate(ctx context.Context, keys []string) error {
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

// uncertain reports whether an operation may or may not have happened because
// its connection broke. The client does not repeat such an increment.
func uncertain(err error) bool {
	var fault *memcached.OpError
	return errors.As(err, &fault) && !fault.SafeToRetry() && !fault.Timeout() &&
		errors.Is(err, memcached.ErrUnavailable)
}

// lifetime is how long counters have to live for an item. Zero is for ever.
type lifetime struct {
	least time.Duration // the item's, and a margin
	first time.Duration // of a new counter
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

const maxDuration = time.Duration(1<<63 - 1)

// prolonged is the life of a counter that was too short. The extra saves
// prolonging it for every item.
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

func (l lifetime) counter(key string, version uint64, ttl time.Duration) *memcached.Item {
	return &memcached.Item{
		Key:   key,
		Value: strconv.AppendUint(nil, version, 10),
		Flags: form{class: classNative, kind: kindUint64}.join(time.Now(), ttl),
		TTL:   ttl,
	}
}

// each calls f for 0 to n-1, several at once, and returns the first error in
// their order.
func each(n int, f func(i int) error) error {
	if n == 1 {
		return f(0)
	}
	errs := make([]error, n)
	var wg sync.WaitGroup
	for worker := range min(n, maxParallel) {
		wg.Go(func() {
			for i := worker; i < n; i += maxParallel {
				errs[i] = f(i)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
