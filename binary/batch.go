package binary

import (
	"encoding/binary"
	"fmt"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// get asks one server for keys, a chunk at a time.
func (m *multi) get(n *node, which []int, items map[string]*Item) {
	for len(which) > 0 {
		chunk := which[:m.chunk(which, func(int) int { return 0 })]
		which = which[len(chunk):]
		b := &getBatch{multi: m, which: chunk, items: make([]Item, len(chunk))}
		if err := m.send(n, wire.OpGet, len(chunk), b); err != nil {
			m.client.counters.failedGets.Add(uint64(len(chunk)))
			m.failAll(chunk, err)
			continue
		}
		m.collect(b, n, items)
	}
}

// collect puts what a batch found into items.
func (m *multi) collect(b *getBatch, n *node, items map[string]*Item) {
	hits := 0
	m.mu.Lock()
	for j, i := range b.which {
		item := &b.items[j]
		if item.Value == nil {
			continue
		}
		item.Key = m.key(i)
		items[item.Key] = item
		hits++
	}
	m.mu.Unlock()
	m.failSome(n, wire.OpGet, b.which, b.failed)
	m.client.counters.hits.Add(uint64(hits))
	m.client.counters.failedGets.Add(uint64(len(b.failed)))
	m.client.counters.misses.Add(uint64(len(b.which) - hits - len(b.failed)))
}

// set stores items on one server, a chunk at a time. Large values go one by
// one, so that they are not copied.
func (m *multi) set(n *node, which []int, items []*Item) {
	small := make([]int, 0, len(which))
	for _, i := range which {
		item := items[i]
		switch err := m.client.checkSize(item); {
		case err != nil:
			m.fail(i, &OpError{Op: m.name, Err: err})
		case len(item.Value) >= largeValue:
			m.setLarge(n, i, item)
		default:
			small = append(small, i)
		}
	}
	for len(small) > 0 {
		chunk := small[:m.chunk(small, func(i int) int { return wire.StoreExtrasLen + len(items[i].Value) })]
		small = small[len(chunk):]
		b := &setBatch{which: chunk, items: items}
		if err := m.send(n, wire.OpSet, len(chunk), b); err != nil {
			m.failAll(chunk, err)
			continue
		}
		m.failSome(n, wire.OpSet, chunk, b.failed)
	}
}

func (m *multi) setLarge(n *node, i int, item *Item) {
	cl := m.client.newCall(wire.OpSet, item.Key)
	cl.value, cl.flags, cl.expiry, cl.deadline = item.Value, item.Flags, expiry(item.TTL), m.deadline
	cl.late = true
	mine, err := m.client.runOn(m.ctx, n, m.name, cl)
	if mine {
		cl.free()
	}
	if err != nil {
		m.fail(i, err)
	}
}

// delete removes keys from one server, a chunk at a time.
func (m *multi) delete(n *node, which []int) {
	for len(which) > 0 {
		chunk := which[:m.chunk(which, func(int) int { return 0 })]
		which = which[len(chunk):]
		b := &deleteBatch{multi: m, which: chunk}
		if err := m.send(n, wire.OpDelete, len(chunk), b); err != nil {
			m.failAll(chunk, err)
			continue
		}
		m.failSome(n, wire.OpDelete, chunk, b.failed)
	}
}

// chunk returns how many of the keys go into one batch. body is how many bytes
// a request has besides header and key.
func (m *multi) chunk(which []int, body func(i int) int) int {
	size := 0
	for j, i := range which[:min(len(which), chunkKeys)] {
		size += wire.HeaderLen + len(m.key(i)) + body(i)
		if j > 0 && size > chunkBytes {
			return j
		}
	}
	return min(len(which), chunkKeys)
}

func (m *multi) failAll(which []int, err error) {
	for _, i := range which {
		m.fail(i, err)
	}
}

func (m *multi) failSome(n *node, op wire.Opcode, which []int, failed map[int]*StatusError) {
	for j, err := range failed {
		var cause error = err
		if op == wire.OpSet && wire.Status(err.Status) == wire.StatusKeyExists {
			cause = ErrNotStored
		}
		m.fail(which[j], &OpError{Op: m.name, Server: n.addr.name, Err: cause})
	}
}

// failures are the error responses of a batch, by the index within it.
type failures map[int]*StatusError

func (f *failures) add(r *response) {
	if *f == nil {
		*f = failures{}
	}
	(*f)[r.index] = &StatusError{Status: Status(r.Status), Message: string(r.value[:min(len(r.value), maxMessage)])}
}

// getBatch is GETQ for all keys but the last, and GET for that.
type getBatch struct {
	multi  *multi
	which  []int
	items  []Item // Value is nil for what was not found
	failed failures
}

func (b *getBatch) reset() { clear(b.items); b.failed = nil }

func (b *getBatch) encode(dst []byte, first uint32) []byte {
	for j, i := range b.which {
		op := wire.OpGetQ
		if j == len(b.which)-1 {
			op = wire.OpGet
		}
		dst = wire.AppendKey(dst, op, first+uint32(j), b.multi.key(i))
	}
	return dst
}

func (b *getBatch) deliver(r *response) error {
	switch r.Status {
	case wire.StatusOK:
	case wire.StatusKeyNotFound:
		return nil
	default:
		b.failed.add(r)
		return nil
	}
	if len(r.extras) != 4 || len(r.key) != 0 {
		return fmt.Errorf("%w: %s with %d bytes of extras and %d of key", wire.ErrFrame, r.Opcode, len(r.extras), len(r.key))
	}
	b.items[r.index] = Item{Value: r.keep(), Flags: binary.BigEndian.Uint32(r.extras), CAS: r.CAS}
	return nil
}

func (b *getBatch) last(r *response) bool { return r.index == len(b.which)-1 }

// setBatch is SETQ for all items but the last, and SET for that.
type setBatch struct {
	which  []int
	items  []*Item
	failed failures
}

func (b *setBatch) reset() { b.failed = nil }

func (b *setBatch) encode(dst []byte, first uint32) []byte {
	for j, i := range b.which {
		op, item := wire.OpSetQ, b.items[i]
		if j == len(b.which)-1 {
			op = wire.OpSet
		}
		dst = wire.AppendStore(dst, op, first+uint32(j), item.Key, len(item.Value), item.Flags, expiry(item.TTL), 0)
		dst = append(dst, item.Value...)
	}
	return dst
}

func (b *setBatch) deliver(r *response) error {
	if r.Status != wire.StatusOK {
		b.failed.add(r)
	}
	return nil
}

func (b *setBatch) last(r *response) bool { return r.index == len(b.which)-1 }

// deleteBatch is DELETEQ for all keys but the last, and DELETE for that.
type deleteBatch struct {
	multi  *multi
	which  []int
	failed failures
}

func (b *deleteBatch) reset() { b.failed = nil }

func (b *deleteBatch) encode(dst []byte, first uint32) []byte {
	for j, i := range b.which {
		op := wire.OpDeleteQ
		if j == len(b.which)-1 {
			op = wire.OpDelete
		}
		dst = wire.AppendDelete(dst, op, first+uint32(j), b.multi.key(i), 0)
	}
	return dst
}

func (b *deleteBatch) deliver(r *response) error {
	if r.Status != wire.StatusOK && r.Status != wire.StatusKeyNotFound {
		b.failed.add(r)
	}
	return nil
}

func (b *deleteBatch) last(r *response) bool { return r.index == len(b.which)-1 }
