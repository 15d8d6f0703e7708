package store

import (
	"bytes"
	"context"

	"github.com/bmemcached/bmemcached-go/binary"
)

// fallBack makes the value from before a load that has failed the outcome, if there
// is one and nothing has happened to it.
func (l *loading) fallBack(ctx context.Context, out *outcome) {
	if !l.usable() {
		return
	}
	changed, unchecked := l.changed(ctx)
	if changed {
		out.overtaken = true
		return
	}
	out.failed, out.err, out.stale, out.unchecked = out.err, nil, !l.fresh(), unchecked
	l.useOld(out)
	// The others get the old value, too. Nobody loads again at once.
	l.rest = true
}

// changed reports whether what was read before a load that has failed was
// invalidated, removed or replaced meanwhile. What memcached does not say counts
// as unchanged, but unchecked.
func (l *loading) changed(ctx context.Context) (changed, unchecked bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cacheTimeout)
	defer cancel()
	keys := []string{l.key, l.lock.key}
	if l.space.counter != "" {
		keys = append(keys, l.space.counter)
	}
	for i := range l.old.tags {
		keys = append(keys, l.old.tags[i].key)
	}
	items, err := l.client.GetMulti(ctx, keys)
	read := func(key string) bool { return keyError(err, key) == nil }
	switch {
	case read(l.key) && !l.same(items[l.key]),
		read(l.lock.key) && !l.lock.untouched(items[l.lock.key]),
		l.space.counter != "" && read(l.space.counter) && !l.space.has(l.gen, items):
		return true, false
	}
	for i := range l.old.tags {
		if tag := l.old.tags[i : i+1]; read(tag[0].key) && !allCurrent(items, tag) {
			return true, false
		}
	}
	return false, err != nil
}

// same reports whether item is the one that was read before the load.
func (l *loading) same(item *memcached.Item) bool {
	return item != nil && item.CAS == l.item.CAS && item.Flags == l.item.Flags && bytes.Equal(item.Value, l.item.Value)
}
