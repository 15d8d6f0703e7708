package memcached

import "github.com/bmemcached/bmemcached-go/binary/internal/wire"

const (
	// chunkKeys and chunkBytes are how much of an operation on many keys is in
	// flight on one connection, so that it does not stall the operations
	// behind it.
	chunkKeys  = 128
	chunkBytes = 64 << 10
)

// get asks one server for keys, a chunk at a time.
func (m *multi) get(n *node, which []int, items map[string]*Item) {
	for len(which) > 0 {
		if err := m.over(); err != nil {
			m.failAll(which, err)
			m.countFailed(len(which))
			return
		}
		chunk := which[:m.chunk(which, func(int) int { return 0 })]
		which = which[len(chunk):]
		b := &getBatch{multi: m, which: chunk, items: make([]Item, len(chunk))}
		err := m.send(n, wire.OpGetK, chunk, b)
		switch {
		case err == nil:
			m.collect(b, items)
		case !isRetired(err):
			m.countFailed(len(chunk))
		}
	}
}

// collect puts what a batch found into items.
func (m *multi) collect(b *getBatch, items map[string]*Item) {
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
	m.client.gets[0].hits.Add(uint64(hits))
	m.countFailed(len(b.failed))
	if !m.replica {
		m.client.gets[0].misses.Add(uint64(len(b.which) - hits - len(b.failed)))
	}
}

// countFailed counts keys that were asked for in vain, unless another server is
// asked too.
func (m *multi) countFailed(keys int) {
	if !m.replica {
		m.client.gets[0].failed.Add(uint64(keys))
	}
}

// set stores items on one server, a chunk at a time. Large values go one by
// one, so that they are not copied, and with them whatever else has the same
// key: the last item of a key is to stay.
func (m *multi) set(n *node, which []int) {
	small, alone := m.sortBySize(which)
	for _, i := range alone {
		if err := m.over(); err != nil {
			m.fail(i, err)
			continue
		}
		m.setAlone(n, i)
	}
	for len(small) > 0 {
		if err := m.over(); err != nil {
			m.failAll(small, err)
			return
		}
		chunk := small[:m.chunk(small, func(i int) int { return wire.StoreExtrasLen + len(m.items[i].Value) })]
		small = small[len(chunk):]
		_ = m.send(n, wire.OpSet, chunk, &setBatch{multi: m, which: chunk})
	}
}

// sortBySize tells apart which items are sent in batches and which alone, and
// refuses those that are too large.
func (m *multi) sortBySize(which []int) (small, alone []int) {
	var large map[string]bool
	for _, i := range which {
		if item := m.items[i]; len(item.Value) >= largeValue {
			if large == nil {
				large = map[string]bool{}
			}
			large[item.Key] = true
		}
	}
	small = make([]int, 0, len(which))
	for _, i := range which {
		item := m.items[i]
		switch err := m.client.checkSize(item); {
		case err != nil:
			m.fail(i, &OpError{Op: m.name, Err: err})
		case large[item.Key]:
			alone = append(alone, i)
		default:
			small = append(small, i)
		}
	}
	return small, alone
}

func (m *multi) setAlone(n *node, i int) {
	item := m.items[i]
	cl := m.client.newCall(wire.OpSet, item.Key)
	cl.value, cl.flags, cl.expiry, cl.limits = item.Value, item.Flags, expiry(item.TTL), m.limits
	cl.late = true
	owned, err := m.client.runTraced(m.ctx, n, m.name, cl)
	if owned {
		cl.free()
	}
	if err != nil {
		m.fail(i, err)
	}
}

// delete removes keys from one server, a chunk at a time.
func (m *multi) delete(n *node, which []int) {
	for len(which) > 0 {
		if err := m.over(); err != nil {
			m.failAll(which, err)
			return
		}
		chunk := which[:m.chunk(which, func(int) int { return 0 })]
		which = which[len(chunk):]
		_ = m.send(n, wire.OpDelete, chunk, &deleteBatch{multi: m, which: chunk})
	}
}

// chunk returns how many of the keys go into one batch. body is how many bytes
// a request has besides header and key.
func (m *multi) chunk(which []int, body func(i int) int) int {
	size := 0
	for j, i := range which[:min(len(which), chunkKeys)] {
		size += wire.HeaderLen + len(m.client.opts.Prefix) + len(m.key(i)) + body(i)
		if j > 0 && size > chunkBytes {
			return j
		}
	}
	return min(len(which), chunkKeys)
}
