package memcachedtest

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// Item returns a copy of what is stored under key, with the time that it has
// left as TTL, and whether there is one. It does not count as a use of the item.
func (s *Server) Item(key string) (*memcached.Item, bool) {
	st := s.storage
	st.mu.Lock()
	defer st.mu.Unlock()
	it := st.find([]byte(key), s.clock.now())
	if it == nil {
		return nil, false
	}
	return &memcached.Item{
		Key:   it.key,
		Value: slices.Clone(it.value),
		Flags: it.flags,
		TTL:   s.clock.remaining(it.expiry),
		CAS:   it.cas,
	}, true
}

// SetItem stores a copy of item, whatever is there; its CAS is not looked at.
// It panics if a client could not store the item: if its key is not 1 to 250
// bytes, it is too large, or its TTL is above 0 and below a millisecond.
func (s *Server) SetItem(item *memcached.Item) {
	st := s.storage
	if n := len(item.Key); n == 0 || n > wire.MaxKeyLen {
		panic(fmt.Sprintf("memcachedtest: SetItem: key of %d bytes", n))
	}
	if 0 < item.TTL && item.TTL < time.Millisecond {
		panic(fmt.Sprintf("memcachedtest: SetItem: time to live of %v: durations have units, as in 60*time.Second", item.TTL))
	}
	if !st.fits(len(item.Key), len(item.Value), item.Flags) {
		panic(fmt.Sprintf("memcachedtest: SetItem: value of %d bytes is too large", len(item.Value)))
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	now := s.clock.now()
	old := st.find([]byte(item.Key), now)
	st.link(&stored{
		key:    item.Key,
		value:  slices.Clone(item.Value),
		flags:  item.Flags,
		expiry: s.clock.after(item.TTL, now),
	}, old, now)
}

// Keys returns the keys of all items that have not expired, sorted.
func (s *Server) Keys() []string {
	st := s.storage
	st.mu.Lock()
	defer st.mu.Unlock()
	now := s.clock.now()
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(st.items)) {
		if st.find([]byte(key), now) != nil {
			keys = append(keys, key)
		}
	}
	return keys
}
