package store

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// draftLife is how long what was stored as a draft waits for its owner.
const draftLife = cacheTimeout + serverMargin

// store stores what was loaded, unless it was overtaken, and reports whether it
// did.
func (l *loading) store(ctx context.Context, out *outcome) bool {
	item := &memcached.Item{Key: l.key}
	p := payload{form: form{class: classNative, kind: kindNone}}
	ttl, keep := l.noneTTL(), time.Duration(0)
	if !out.none {
		var err error
		if p, err = l.encode(out.value); err != nil {
			l.report(err)
			out.unchecked = true
			return false
		}
		p.data = bytes.Clone(p.data) // the first caller may change its value
		out.payload = &p
		ttl, keep = l.ttl, l.opts.KeepStale
	}
	fill(item, p, l.versions, ttl, keep)
	// A store that is closed meanwhile keeps what it has loaded.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cacheTimeout)
	defer cancel()
	if out.none && l.opts.NotFoundTTL < 0 {
		current, err := l.current(ctx, nil)
		out.overtaken, out.unchecked = err == nil && !current, err != nil
		return false
	}
	stored, err := l.publish(ctx, item)
	if err != nil {
		l.report(err)
		out.unchecked = true
		return false
	}
	out.overtaken = !stored
	return stored
}

// noneTTL is how long it is remembered that there is no value.
func (l *loading) noneTTL() time.Duration {
	if l.ttl == 0 {
		return l.opts.NotFoundTTL
	}
	return min(l.opts.NotFoundTTL, l.ttl)
}

// publish stores an item in the place of what was there before the load. It
// returns false if that has changed, or the item is not valid any more. No reader
// sees an item that is not: one with tags or in a generation is found invalid by
// their counters, and of a Delete or Set the compare-and-swap knows.
func (l *loading) publish(ctx context.Context, item *memcached.Item) (bool, error) {
	switch {
	case l.item == nil:
		return l.publishNew(ctx, item)
	case l.item.CAS == 0: // the server keeps none
		current, err := l.current(ctx, l.item)
		if err == nil && current {
			err = l.client.Set(ctx, item)
		}
		return current && err == nil, err
	}
	item.CAS = l.item.CAS
	err := l.client.CompareAndSwap(ctx, item)
	switch {
	case errors.Is(err, memcached.ErrCacheMiss) && l.over():
		item.CAS = 0
		return l.publishNew(ctx, item)
	case changedMeanwhile(err):
		return false, nil
	case err != nil:
		return false, err
	}
	return l.valid(ctx)
}

// publishNew stores an item where there is none. Add cannot see that one was
// deleted since the load began. So it stores a draft, which no reader of a store
// takes; a Delete that comes from now on removes it; the lock shows the earlier
// ones.
func (l *loading) publishNew(ctx context.Context, item *memcached.Item) (bool, error) {
	flags, ttl := item.Flags, item.TTL
	drafted, ok := draft(flags, time.Now())
	if ok {
		item.Flags, item.TTL = drafted, draftLife
	}
	if err := l.client.Add(ctx, item); err != nil {
		if changedMeanwhile(err) {
			err = nil
		}
		return false, err
	}
	if current, err := l.current(ctx, nil); err != nil || !current {
		return false, errors.Join(err, l.takeBack(ctx, item))
	}
	if !ok { // its flags are another client's
		return true, nil
	}
	item.Flags, item.TTL = flags, ttl
	var err error
	if item.CAS == 0 {
		err = l.client.Set(ctx, item)
	} else {
		err = l.client.CompareAndSwap(ctx, item)
	}
	if changedMeanwhile(err) {
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

// valid reports whether the generation and the tags are as they were before the
// load.
func (l *loading) valid(ctx context.Context) (bool, error) {
	keys := l.counters(make([]string, 0, 1+len(l.versions)))
	if len(keys) == 0 {
		return true, nil
	}
	items, err := l.client.GetMulti(ctx, keys)
	return err == nil && l.countersAre(items), anyError(err)
}

// current is valid, and reports also whether no Delete has come and the lock is
// still held, and whether before is still under the key, unless it is nil.
func (l *loading) current(ctx context.Context, before *memcached.Item) (bool, error) {
	keys := l.counters(append(make([]string, 0, 3+len(l.versions)), l.lock.key))
	if before != nil {
		keys = append(keys, l.key)
	}
	items, err := l.client.GetMulti(ctx, keys)
	if err != nil {
		return false, anyError(err)
	}
	return l.lock.untouched(items[l.lock.key]) && l.countersAre(items) &&
		(before == nil || l.same(items[l.key])), nil
}

// counters appends the keys of the counters of the generation and the tags.
func (l *loading) counters(keys []string) []string {
	if l.space.counter != "" {
		keys = append(keys, l.space.counter)
	}
	for i := range l.versions {
		keys = append(keys, l.versions[i].key)
	}
	return keys
}

func (l *loading) countersAre(items map[string]*memcached.Item) bool {
	return allCurrent(items, l.versions) && l.space.has(l.gen, items)
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
	if changedMeanwhile(err) {
		return nil
	}
	return err
}
