package binary

import (
	"context"
	"errors"
	"sync"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

const (
	// chunkKeys and chunkBytes are how much of an operation on many keys is in
	// flight on one connection, so that it does not stall the operations
	// behind it.
	chunkKeys  = 128
	chunkBytes = 64 << 10
)

// GetMulti returns the items of those keys that are in the cache. Duplicates
// are fine. Keys are asked for in pipelined batches, per server and from all
// servers at the same time. When some of it fails, what the others answered is
// returned together with a MultiError that holds the failed keys.
func (c *Client) GetMulti(ctx context.Context, keys []string) (map[string]*Item, error) {
	m := c.newMulti(ctx, "get_multi", func(i int) string { return keys[i] })
	items := make(map[string]*Item, len(keys))
	do := func(m *multi, n *node, which []int) { m.get(n, which, items) }
	if c.opts.Replicate {
		m.readReplicas(len(keys), items, do)
	} else {
		m.run(len(keys), do)
	}
	return items, m.err()
}

// SetMulti stores items as Set does. What failed is in the MultiError.
func (c *Client) SetMulti(ctx context.Context, items []*Item) error {
	m := c.newMulti(ctx, "set_multi", func(i int) string {
		if items[i] == nil {
			return ""
		}
		return items[i].Key
	})
	return m.write(len(items), func(m *multi, n *node, which []int) { m.set(n, which, items) })
}

// DeleteMulti removes items. That one was missing is not an error. What failed
// is in the MultiError.
func (c *Client) DeleteMulti(ctx context.Context, keys []string) error {
	m := c.newMulti(ctx, "delete_multi", func(i int) string { return keys[i] })
	return m.write(len(keys), func(m *multi, n *node, which []int) { m.delete(n, which) })
}

// multi is one operation on several keys, which it knows by their indexes.
type multi struct {
	client   *Client
	ctx      context.Context
	name     string
	deadline int64
	key      func(i int) string

	mu     sync.Mutex // guards what follows, and the results of get
	failed map[int]error
	moved  []int // keys whose server was removed meanwhile
}

// partWork carries out m for some keys of one server.
type partWork func(m *multi, n *node, which []int)

func (c *Client) newMulti(ctx context.Context, name string, key func(i int) string) *multi {
	return &multi{client: c, ctx: ctx, name: name, deadline: c.deadline(), key: key}
}

// fail notes that a key failed.
func (m *multi) fail(i int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if errors.Is(err, errRetired) {
		m.moved = append(m.moved, i)
		return
	}
	if m.failed == nil {
		m.failed = map[int]error{}
	}
	m.failed[i] = keyError(err, m.key(i))
}

// err returns what failed, or nil.
func (m *multi) err() error {
	if len(m.failed) == 0 {
		return nil
	}
	failed := make(MultiError, len(m.failed))
	for i, err := range m.failed {
		failed[m.key(i)] = err
	}
	return failed
}

// valid returns the indexes of the keys that can be sent.
func (m *multi) valid(count int) []int {
	which := make([]int, 0, count)
	for i := range count {
		if err := checkArguments(m.ctx, m.key(i)); err != nil {
			m.fail(i, &OpError{Op: m.name, Err: err})
			continue
		}
		which = append(which, i)
	}
	return which
}

// write does work on the servers of the keys, or on all of them.
func (m *multi) write(count int, work partWork) error {
	if m.client.opts.Replicate {
		m.writeReplicas(count, work)
	} else {
		m.run(count, work)
	}
	return m.err()
}

// run does work on the servers of the keys, all at the same time. Keys whose
// server is removed meanwhile follow the new distribution.
func (m *multi) run(count int, work partWork) {
	which := m.valid(count)
	for range maxTopologies {
		if len(which) == 0 {
			return
		}
		m.runParts(m.client.topology.Load(), which, work)
		which, m.moved = m.moved, nil
	}
	for _, i := range which {
		m.fail(i, &OpError{Op: m.name, Err: unavailable(errors.New("the servers keep changing"))})
	}
}

func (m *multi) runParts(t *topology, which []int, work partWork) {
	if len(t.live) == 1 {
		work(m, t.live[0], which)
		return
	}
	parts := map[*node][]int{}
	for _, i := range which {
		n, err := t.node(m.key(i))
		if err != nil {
			m.fail(i, &OpError{Op: m.name, Err: err})
			continue
		}
		parts[n] = append(parts[n], i)
	}
	var wg sync.WaitGroup
	for n, part := range parts {
		if delete(parts, n); len(parts) == 0 {
			work(m, n, part) // the last one on this goroutine
			break
		}
		wg.Go(func() { work(m, n, part) })
	}
	wg.Wait()
}

// send carries out one batch. After an error the batch has failed as a whole and
// must not be looked at any more.
func (m *multi) send(n *node, op wire.Opcode, count int, b batch) error {
	cl := m.client.newCall(op, "")
	cl.batch, cl.span, cl.deadline, cl.late = b, uint32(count), m.deadline, true
	ctx, end := m.trace(n, count)
	mine, err := n.do(ctx, cl)
	if mine {
		cl.free()
	}
	if err != nil {
		repeatable := op == wire.OpGet || op == wire.OpSet || op == wire.OpDelete
		err = m.client.faultError(n, m.name, "", repeatable, err)
	}
	end(err)
	return err
}

// trace tells the Tracer of a batch.
func (m *multi) trace(n *node, count int) (ctx context.Context, end func(error)) {
	tracer := m.client.opts.Tracer
	if tracer == nil {
		return m.ctx, func(error) {}
	}
	op := Op{Name: m.name, Keys: count, Server: n.addr.name}
	ctx = tracer.OpStart(m.ctx, op)
	return ctx, func(err error) { tracer.OpEnd(ctx, op, err) }
}

// keyError is the error of one key of a batch that failed.
func keyError(err error, key string) error {
	var op *OpError
	if !errors.As(err, &op) {
		return err
	}
	e := *op
	e.Key = key
	return &e
}
