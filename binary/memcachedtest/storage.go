package memcachedtest

import (
	"bytes"
	"strconv"
	"sync"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// item is what is stored under a key. Its value is never changed in place, so
// that it can be read without the lock.
type item struct {
	key        string
	value      []byte
	flags      uint32
	expiry     relTime
	time       relTime // when it was stored
	cas        uint64
	prev, next *item // the order of use
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

// storage is the memory of the server. Its methods follow memcached's
// do_store_item, do_add_delta and their neighbours, and return the status with
// which memcached answers.
type storage struct {
	clock     *clock
	useCAS    bool
	maxItem   int
	maxMemory int

	mu         sync.Mutex // guards what follows
	items      map[string]*item
	root       item // of the ring of items, latest use first
	bytes      int
	lastCAS    uint64
	oldestLive relTime // items up to that time are flushed, once it has come
	oldestCAS  uint64  // and so are items of older versions
	evictions  uint64
	total      uint64
}

func newStorage(opts *Options, clock *clock) *storage {
	st := &storage{
		clock:     clock,
		useCAS:    !opts.DisableCAS,
		maxItem:   opts.MaxItemSize,
		maxMemory: opts.MaxMemory,
	}
	st.clear()
	return st
}

// clear makes the memory that of a new process.
func (st *storage) clear() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.clock.start()
	st.items = make(map[string]*item)
	st.root.prev, st.root.next = &st.root, &st.root
	st.bytes, st.lastCAS, st.oldestLive, st.oldestCAS = 0, 0, 0, 0
	st.evictions, st.total = 0, 0
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
func (st *storage) find(key []byte, now relTime) *item {
	it := st.items[string(key)]
	if it == nil {
		return nil
	}
	if st.flushed(it, now) || it.expiry != 0 && it.expiry <= now {
		st.unlink(it)
		return nil
	}
	return it
}

// flushed is item_is_flushed of items.c.
func (st *storage) flushed(it *item, now relTime) bool {
	if st.oldestLive == 0 || st.oldestLive > now {
		return false
	}
	return it.time <= st.oldestLive || st.oldestCAS != 0 && it.cas != 0 && it.cas < st.oldestCAS
}

func (st *storage) unlink(it *item) {
	it.prev.next, it.next.prev = it.next, it.prev
	delete(st.items, it.key)
	st.bytes -= st.size(len(it.key), len(it.value), it.flags)
}

// link stores it, in place of old unless that is nil, and evicts what no
// longer fits.
func (st *storage) link(it, old *item, now relTime) {
	if old != nil {
		it.key = old.key
		st.unlink(old)
	}
	it.time, it.cas = now, st.nextCAS()
	st.items[it.key] = it
	st.pushFront(it)
	st.bytes += st.size(len(it.key), len(it.value), it.flags)
	st.total++
	for st.bytes > st.maxMemory && st.root.prev != it {
		st.unlink(st.root.prev)
		st.evictions++
	}
}

func (st *storage) pushFront(it *item) {
	it.prev, it.next = &st.root, st.root.next
	it.prev.next, it.next.prev = it, it
}

func (st *storage) use(it *item) {
	it.prev.next, it.next.prev = it.next, it.prev
	st.pushFront(it)
}

// get returns a copy of the live item of key, whose value is shared.
func (st *storage) get(key []byte) (item, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	it := st.find(key, st.clock.now())
	if it == nil {
		return item{}, false
	}
	st.use(it)
	return *it, true
}

// touch is get with a new expiry.
func (st *storage) touch(key []byte, exptime uint32) (item, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	now := st.clock.now()
	it := st.find(key, now)
	if it == nil {
		return item{}, false
	}
	it.expiry = st.clock.expiry(exptime, now)
	st.use(it)
	return *it, true
}

// store is SET, ADD and REPLACE, which with a cas are all the same operation.
// It keeps value.
func (st *storage) store(op wire.Opcode, key, value []byte, flags, exptime uint32, cas uint64) (uint64, wire.Status) {
	st.mu.Lock()
	defer st.mu.Unlock()
	now := st.clock.now()
	old := st.find(key, now)
	switch {
	case st.useCAS && cas != 0 && old == nil:
		return 0, wire.StatusKeyNotFound
	case st.useCAS && cas != 0 && old.cas != cas:
		return 0, wire.StatusKeyExists
	case st.useCAS && cas != 0:
	case op == wire.OpAdd && old != nil:
		st.use(old)
		return 0, wire.StatusKeyExists
	case op == wire.OpReplace && old == nil:
		return 0, wire.StatusKeyNotFound
	}
	it := &item{value: value, flags: flags, expiry: st.clock.expiry(exptime, now)}
	if old == nil {
		it.key = string(key)
	}
	st.link(it, old, now)
	return it.cas, wire.StatusOK
}

// concat is APPEND and PREPEND.
func (st *storage) concat(op wire.Opcode, key, value []byte, cas uint64) (uint64, wire.Status) {
	st.mu.Lock()
	defer st.mu.Unlock()
	now := st.clock.now()
	old := st.find(key, now)
	switch {
	case old == nil:
		return 0, wire.StatusNotStored
	case st.useCAS && cas != 0 && old.cas != cas:
		return 0, wire.StatusKeyExists
	case !st.fits(len(key), len(old.value)+len(value), old.flags):
		return 0, wire.StatusNotStored
	}
	parts := [][]byte{old.value, value}
	if op == wire.OpPrepend {
		parts = [][]byte{value, old.value}
	}
	it := &item{value: bytes.Join(parts, nil), flags: old.flags, expiry: old.expiry}
	st.link(it, old, now)
	return it.cas, wire.StatusOK
}

// delta is one INCREMENT or DECREMENT.
type delta struct {
	decrement      bool
	delta, initial uint64
	exptime        uint32
	cas            uint64
}

// add is complete_incr_bin and do_add_delta.
func (st *storage) add(key []byte, d delta) (value, cas uint64, status wire.Status) {
	st.mu.Lock()
	defer st.mu.Unlock()
	now := st.clock.now()
	old := st.find(key, now)
	if old == nil {
		return st.create(key, d, now)
	}
	if len(old.value) == 0 || st.size(len(key), len(old.value), old.flags) > maxChunk {
		return 0, 0, wire.StatusNotNumber
	}
	if d.cas != 0 && d.cas != old.cas {
		return 0, 0, wire.StatusKeyExists
	}
	value, ok := parseCounter(old.value)
	if !ok {
		return 0, 0, wire.StatusNotNumber
	}
	switch {
	case !d.decrement:
		value += d.delta
	case d.delta > value:
		value = 0
	default:
		value -= d.delta
	}
	return value, st.rewrite(old, value, now), wire.StatusOK
}

// create makes a counter, if the request asks for it.
func (st *storage) create(key []byte, d delta, now relTime) (value, cas uint64, status wire.Status) {
	if d.exptime == wire.ExpiryNoCreate {
		return 0, 0, wire.StatusKeyNotFound
	}
	it := &item{
		key:    string(key),
		value:  strconv.AppendUint(nil, d.initial, 10),
		expiry: st.clock.expiry(d.exptime, now),
	}
	st.link(it, nil, now)
	return d.initial, it.cas, wire.StatusOK
}

// rewrite gives a counter its new value: in place, padded with spaces, when it
// is not longer than the old one.
func (st *storage) rewrite(old *item, value uint64, now relTime) (cas uint64) {
	text := strconv.AppendUint(make([]byte, 0, max(20, len(old.value))), value, 10)
	if len(text) > len(old.value) {
		it := &item{value: text, flags: old.flags, expiry: old.expiry}
		st.link(it, old, now)
		return it.cas
	}
	for len(text) < len(old.value) {
		text = append(text, ' ')
	}
	old.value, old.cas = text, st.nextCAS()
	st.use(old)
	return old.cas
}

// remove is DELETE.
func (st *storage) remove(key []byte, cas uint64) wire.Status {
	st.mu.Lock()
	defer st.mu.Unlock()
	it := st.find(key, st.clock.now())
	switch {
	case it == nil:
		return wire.StatusKeyNotFound
	case cas != 0 && cas != it.cas:
		return wire.StatusKeyExists
	}
	st.unlink(it)
	return wire.StatusOK
}

// flush is process_bin_flush. Nothing is removed: items are looked at when
// they are asked for, which has odd consequences that clients can see (a
// delayed flush takes back an earlier one for items not asked for meanwhile).
func (st *storage) flush(exptime uint32) {
	st.mu.Lock()
	defer st.mu.Unlock()
	now := st.clock.now()
	oldest := now
	if exptime > 0 {
		oldest = st.clock.expiry(exptime, now)
	}
	if !st.useCAS {
		st.oldestLive = oldest
		return
	}
	st.oldestLive = oldest - 1
	if st.oldestLive <= now {
		st.oldestCAS = st.nextCAS()
	}
}
