package memcachedtest

import (
	"bytes"
	"strconv"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// The methods here are the operations on items. They follow do_store_item,
// do_add_delta and process_bin_flush of memcached and return the status that
// it answers with.

// get returns a copy of the live item of key, whose value is shared.
func (st *storage) get(key []byte) (stored, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.counts.cmdGet++
	it := st.find(key, st.clock.now())
	if it == nil {
		st.counts.getMisses++
		return stored{}, false
	}
	st.counts.getHits++
	st.use(it)
	return *it, true
}

// touch is get with a new expiry.
func (st *storage) touch(key []byte, exptime uint32) (stored, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.counts.cmdTouch++
	now := st.clock.now()
	it := st.find(key, now)
	if it == nil {
		st.counts.touchMisses++
		return stored{}, false
	}
	st.counts.touchHits++
	it.expiry = st.clock.expiry(exptime, now)
	st.use(it)
	return *it, true
}

// store is SET, ADD and REPLACE, which with a version are all the same
// operation. It keeps value.
func (st *storage) store(op wire.Opcode, key, value []byte, flags, exptime uint32, cas uint64) (uint64, wire.Status) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.counts.cmdSet++
	now := st.clock.now()
	old := st.find(key, now)
	switch {
	case cas != 0 && st.useCAS:
		if status := st.compare(old, cas); status != wire.StatusOK {
			return 0, status
		}
	case op == wire.OpAdd && old != nil:
		st.use(old)
		return 0, wire.StatusKeyExists
	case op == wire.OpReplace && old == nil:
		return 0, wire.StatusKeyNotFound
	}
	it := &stored{value: value, flags: flags, expiry: st.clock.expiry(exptime, now)}
	if old == nil {
		it.key = string(key)
	}
	st.link(it, old, now)
	return it.cas, wire.StatusOK
}

// compare says what a write of the version cas makes of the item there.
func (st *storage) compare(old *stored, cas uint64) wire.Status {
	switch {
	case old == nil:
		st.counts.casMisses++
		return wire.StatusKeyNotFound
	case old.cas != cas:
		st.counts.casBadval++
		return wire.StatusKeyExists
	}
	st.counts.casHits++
	return wire.StatusOK
}

// tooLarge is a SET of a value that does not fit. It removes what it was meant
// to replace: nothing is better than a value known to be old.
func (st *storage) tooLarge(key []byte) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if it := st.find(key, st.clock.now()); it != nil {
		st.unlink(it)
	}
}

// concat is APPEND and PREPEND.
func (st *storage) concat(op wire.Opcode, key, value []byte, cas uint64) (uint64, wire.Status) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.counts.cmdSet++
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
	it := &stored{value: bytes.Join(parts, nil), flags: old.flags, expiry: old.expiry}
	st.link(it, old, now)
	return it.cas, wire.StatusOK
}

// delta is an INCREMENT or DECREMENT.
type delta struct {
	decrement      bool
	delta, initial uint64
	exptime        uint32
	cas            uint64
}

// add is INCREMENT and DECREMENT.
func (st *storage) add(key []byte, d delta) (value, cas uint64, status wire.Status) {
	st.mu.Lock()
	defer st.mu.Unlock()
	now := st.clock.now()
	old := st.find(key, now)
	if old == nil {
		return st.create(key, d, now)
	}
	if len(old.value) == 0 || st.sizeOf(old) > maxChunk {
		return 0, 0, wire.StatusNotNumber
	}
	if d.cas != 0 && d.cas != old.cas {
		return 0, 0, wire.StatusKeyExists
	}
	value, ok := parseCounter(old.value)
	if !ok {
		return 0, 0, wire.StatusNotNumber
	}
	if d.decrement {
		st.counts.decrHits++
		value -= min(value, d.delta)
	} else {
		st.counts.incrHits++
		value += d.delta
	}
	return value, st.rewrite(old, value, now), wire.StatusOK
}

// create makes a counter, if the request asks for it.
func (st *storage) create(key []byte, d delta, now relTime) (value, cas uint64, status wire.Status) {
	if d.exptime == wire.ExpiryNoCreate {
		if d.decrement {
			st.counts.decrMisses++
		} else {
			st.counts.incrMisses++
		}
		return 0, 0, wire.StatusKeyNotFound
	}
	it := &stored{
		key:    string(key),
		value:  strconv.AppendUint(nil, d.initial, 10),
		expiry: st.clock.expiry(d.exptime, now),
	}
	st.link(it, nil, now)
	return d.initial, it.cas, wire.StatusOK
}

// rewrite gives a counter its new value: in place and padded with spaces when
// it is not longer than the old one.
func (st *storage) rewrite(old *stored, value uint64, now relTime) (cas uint64) {
	text := strconv.AppendUint(make([]byte, 0, max(20, len(old.value))), value, 10)
	if len(text) > len(old.value) {
		it := &stored{value: text, flags: old.flags, expiry: old.expiry}
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
		st.counts.deleteMisses++
		return wire.StatusKeyNotFound
	case cas != 0 && cas != it.cas:
		return wire.StatusKeyExists
	}
	st.counts.deleteHits++
	st.unlink(it)
	return wire.StatusOK
}

// flush is FLUSH. It removes nothing: items are looked at when they are asked
// for, which has odd consequences that clients can see. A flush in one second
// takes effect at once, and also on what is stored in that second; a later
// flush takes back an earlier one for items that nobody asked for meanwhile.
func (st *storage) flush(exptime uint32) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.counts.cmdFlush++
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
