package store

import (
	"bytes"
	"context"

	"github.com/bmemcached/bmemcached-go/binary"
)

// changed reports whether what was read before a load that has failed was
// invalidated, removed or replaced meanwhile. What memcached does not say counts
// as unchanged.
func (l *loading) changed(ctx context.Context) bool {
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
		read(l.lock.key) && !l.lock.is(items[l.lock.key]),
		l.space.counter != "" && read(l.space.counter) && !l.space.has(l.gen, items):
		return true
	}
	for i := range l.old.tags {
		if tag := l.old.tags[i : i+1]; read(tag[0].key) && !allCurrent(items, tag) {
			return true
		}
	}
	return false
}

// same reports whether item is the one that was read before the load.
func (l *loading) same(item *memcached.Item) bool {
	return item != nil && item.CAS == l.item.CAS && item.Flags == l.item.Flags && bytes.Equal(item.Value, l.item.Value)
}
