package memcachedtest

import (
	"sync"
)

// stored is an item as the server holds it. Its value is never changed in place, so
// that it can be read without the lock.
type stored struct {
	key        string
	value      []byte
	flags      uint32
	expiry     relTime
	time       relTime // when it was stored
	cas        uint64
	prev, next *stored // the order of use
}

// What memcached adds to key and value: the item's struct, the end of the key
// and CR LF; a version; and flags unless they are 0 (items.c, item_make_header).
const (
	itemOverhead  = 51
	casOverhead   = 8
	flagsOverhead = 4
)

// maxChunk is the size above which items are stored in several chunks. They
// are never numbers and no place for SASL data.
const maxChunk = 512 << 10

// storage is the memory of the server: how items are found, linked and
// evicted. What the operations make of that is in operations.go.
type storage struct {
	clock     *clock
	useCAS    bool
	maxItem   int
	maxMemory int

	mu         sync.Mutex // guards what follows
	items      map[string]*stored
	root       stored // of the ring of items, latest use first
	bytes      int
	lastCAS    uint64
	oldestLive relTime // items up to that time are flushed, once it has come
	oldestCAS  uint64  // and so are items of older versions
	counts     counts
}

// counts is what the general statistics count, by memcached's names.
type counts struct {
	cmdGet, cmdSet, cmdFlush, cmdTouch         uint64
	getHits, getMisses, getExpired, getFlushed uint64
	deleteHits, deleteMisses                   uint64
	incrHits, incrMisses, decrHits, decrMisses uint64
	casHits, casMisses, casBadval              uint64
	touchHits, touchMisses                     uint64
	evictions, totalItems                      uint64
}

func newStorage(opts *Options, clock *clock) *storage {
	st := &storage{
		clock:     clock,
		useCAS:    !opts.DisableCAS,
		maxItem:   opts.MaxItemSize,
		maxMemory: opts.MaxMemory,
	}
	st.reset()
	return st
}

// reset makes the memory that of a new process.
func (st *storage) reset() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.clock.start()
	st.items = make(map[string]*stored)
	st.root.prev, st.root.next = &st.root, &st.root
	st.bytes, st.lastCAS, st.oldestLive, st.oldestCAS = 0, 0, 0, 0
	st.counts = counts{}
}

// size is what an item takes, by which memcached decides whether it fits.
func (st *storage) size(keyLen, valueLen int, flags uint32) int {
	n := itemOverhead + keyLen + valueLen
	if flags != 0 {
		n += flagsOverhead
	}
	if st.useCAS {
		n += casOverhead
	}
	return n
}

func (st *storage) sizeOf(it *stored) int {
	return st.size(len(it.key), len(it.value), it.flags)
}

// fits reports whether an item of these lengths can be stored.
func (st *storage) fits(keyLen, valueLen int, flags uint32) bool {
	return st.size(keyLen, valueLen, flags) <= st.maxItem
}

func (st *storage) nextCAS() uint64 {
	if !st.useCAS {
		return 0
	}
	st.lastCAS++
	return st.lastCAS
}

// find returns the live item of key, or nil (items.c, do_item_get). The caller
// holds the lock.
func (st *storage) find(key []byte, now relTime) *stored {
	it := st.items[string(key)]
	switch {
	case it == nil:
		return nil
	case st.flushed(it, now):
		st.counts.getFlushed++
	case it.expiry != 0 && it.expiry <= now:
		st.counts.getExpired++
	default:
		return it
	}
	st.unlink(it)
	return nil
}

// flushed is item_is_flushed of items.c.
func (st *storage) flushed(it *stored, now relTime) bool {
	if st.oldestLive == 0 || st.oldestLive > now {
		return false
	}
	return it.time <= st.oldestLive || st.oldestCAS != 0 && it.cas != 0 && it.cas < st.oldestCAS
}

// link stores it, in place of old unless that is nil, as a new version, and
// evicts what no longer fits.
func (st *storage) link(it, old *stored, now relTime) {
	if old != nil {
		it.key = old.key
		st.unlink(old)
	}
	it.time, it.cas = now, st.nextCAS()
	st.items[it.key] = it
	st.pushFront(it)
	st.bytes += st.sizeOf(it)
	st.counts.totalItems++
	for st.bytes > st.maxMemory && st.root.prev != it {
		st.unlink(st.root.prev)
		st.counts.evictions++
	}
}

func (st *storage) unlink(it *stored) {
	it.prev.next, it.next.prev = it.next, it.prev
	delete(st.items, it.key)
	st.bytes -= st.sizeOf(it)
}

func (st *storage) pushFront(it *stored) {
	it.prev, it.next = &st.root, st.root.next
	it.prev.next, it.next.prev = it, it
}

// use makes it the item that is evicted last.
func (st *storage) use(it *stored) {
	it.prev.next, it.next.prev = it.next, it.prev
	st.pushFront(it)
}
