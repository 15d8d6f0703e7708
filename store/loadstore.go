package store

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// store stores what was loaded, unless it was overtaken, and reports whether it
// did.
func (l *loading) store(ctx context.Context, out *outcome) bool {
	item := &memcached.Item{Key: l.key}
	if out.none {
		if l.opts.NotFoundTTL < 0 {
			return false
		}
		fill(item, payload{form: form{class: classNative, kind: kindNone}}, l.versions, l.noneTTL(), 0)
	} else {
		p, err := l.encode(out.value)
		if err != nil {
			l.report(err)
			return false
		}
		p.data = bytes.Clone(p.data) // the first caller may change its value
		out.payload = &p
		fill(item, p, l.versions, l.ttl, l.opts.KeepStale)
	}
	// A store that is closed meanwhile keeps what it has loaded.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cacheTimeout)
	defer cancel()
	stored, err := l.put(ctx, item)
	if err == nil {
		err = l.checkOvertaken(ctx, out, stored, item)
	}
	if err != nil {
		l.report(err)
	}
	return stored && err == nil
}

// noneTTL is how long it is remembered that there is no value.
func (l *loading) noneTTL() time.Duration {
	if l.ttl == 0 {
		return l.opts.NotFoundTTL
	}
	return min(l.opts.NotFoundTTL, l.ttl)
}

// put stores an item in the place of what was there before the load. It returns
// false if that has changed.
func (l *loading) put(ctx context.Context, item *memcached.Item) (bool, error) {
	var err error
	switch {
	case l.item == nil:
		err = l.client.Add(ctx, item)
	case l.item.CAS == 0: // the server keeps none
		err = l.client.Set(ctx, item)
	default:
		item.CAS = l.item.CAS
		err = l.client.CompareAndSwap(ctx, item)
		if errors.Is(err, memcached.ErrCacheMiss) && l.over() {
			item.CAS = 0
			err = l.client.Add(ctx, item)
		}
	}
	if errors.Is(err, memcached.ErrNotStored) || errors.Is(err, memcached.ErrCASConflict) || errors.Is(err, memcached.ErrCacheMiss) {
		return false, nil
	}
	return err == nil, err
}

// over reports whether what was there before the load has reached its end. The
// server may then have forgotten it since it was read, and nobody need have
// deleted it.
func (l *loading) over() bool {
	return !l.deadline.IsZero() && !time.Now().Before(l.deadline.Add(l.opts.KeepStale))
}

// checkOvertaken finds out, after storing, what came during the load: a new
// generation or version of a tag, which make the item unreachable or invalid, or
// a Delete, which removes the lock. It removes what was stored in spite of a
// Delete. A Delete after this removes the item itself.
func (l *loading) checkOvertaken(ctx context.Context, out *outcome, stored bool, item *memcached.Item) error {
	keys := make([]string, 0, 2+len(l.versions))
	keys = append(keys, l.lock.key)
	if l.space.counter != "" {
		keys = append(keys, l.space.counter)
	}
	for i := range l.versions {
		keys = append(keys, l.versions[i].key)
	}
	items, err := l.client.GetMulti(ctx, keys)
	if err != nil {
		return anyError(err)
	}
	deleted := !l.lock.is(items[l.lock.key])
	out.overtaken = deleted || !stored || !allCurrent(items, l.versions) || !l.space.has(l.gen, items)
	if deleted && stored {
		return l.takeBack(ctx, item)
	}
	return nil
}

// takeBack removes what was stored, and nothing else: by now the lock and the
// item may be another process's.
func (l *loading) takeBack(ctx context.Context, item *memcached.Item) error {
	var err error
	if item.CAS == 0 { // the server keeps none
		err = l.client.Delete(ctx, item.Key)
	} else {
		item.Value, item.TTL = nil, -1
		err = l.client.CompareAndSwap(ctx, item)
	}
	if errors.Is(err, memcached.ErrCacheMiss) || errors.Is(err, memcached.ErrCASConflict) {
		return nil
	}
	return err
}
