package memcached

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// GetMulti returns the items of the keys that are in the cache. Duplicate keys
// are fine. Each server gets its keys in pipelined batches, all servers at the
// same time. When keys fail, GetMulti returns the items of the others and a
// *MultiError by key.
func (c *Client) GetMulti(ctx context.Context, keys []string) (map[string]*Item, error) {
	keys = slices.Clone(keys) // late responses are compared with them
	m := c.newMulti(ctx, "get_multi", func(i int) string { return keys[i] })
	items := make(map[string]*Item, len(keys))
	do := func(m *multi, n *node, which []int) { m.get(n, which, items) }
	m.run(len(keys), func(which []int) {
		if c.opts.Replicate {
			m.readReplicas(which, items, do)
		} else {
			m.runParts(which, do)
		}
	})
	for i := range m.failed {
		if items[keys[i]] != nil { // found when it was asked for a second time
			delete(m.failed, i)
		}
	}
	return items, m.err()
}

// SetMulti stores items as Set does, but leaves their CAS as it is: servers do not
// answer the quiet requests that it sends, so that nobody knows the new versions.
// Read an item again, or store it with Set, before CompareAndSwap. The error is a
// *MultiError by key.
func (c *Client) SetMulti(ctx context.Context, items []*Item) error {
	m := c.newMulti(ctx, "set_multi", func(i int) string {
		if items[i] == nil {
			return ""
		}
		return items[i].Key
	})
	m.items = items
	return m.write(len(items), (*multi).set)
}

// DeleteMulti removes items. A missing key is not an error. The error is a
// *MultiError by key.
func (c *Client) DeleteMulti(ctx context.Context, keys []string) error {
	m := c.newMulti(ctx, "delete_multi", func(i int) string { return keys[i] })
	return m.write(len(keys), (*multi).delete)
}

// multi is one operation on several keys, which it knows by their indexes.
type multi struct {
	client  *Client
	ctx     context.Context
	name    string
	limits  limits
	key     func(i int) string
	items   []*Item // to be stored
	replica bool    // it is the part that concerns one of several equal servers

	whole error // why it cannot be carried out, though no key failed

	mu     sync.Mutex // guards what follows, and the results of get
	failed map[int]error
	moved  []int // keys whose server was removed meanwhile
}

// partWork carries out m for some keys of one server.
type partWork func(m *multi, n *node, which []int)

func (c *Client) newMulti(ctx context.Context, name string, key func(i int) string) *multi {
	return &multi{client: c, ctx: ctx, name: name, limits: c.limits(ctx), key: key}
}

// keysOf returns the keys with the given indexes.
func (m *multi) keysOf(which []int) []string {
	keys := make([]string, len(which))
	for j, i := range which {
		keys[j] = m.key(i)
	}
	return keys
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
	if m.whole != nil {
		return &OpError{Op: m.name, Err: m.whole}
	}
	if len(m.failed) == 0 {
		return nil
	}
	failed := make(map[string]error, len(m.failed))
	for i, err := range m.failed {
		failed[m.key(i)] = err
	}
	return &MultiError{Errors: failed}
}

// valid returns the indexes of the keys that can be sent.
func (m *multi) valid(count int) []int {
	which := make([]int, 0, count)
	for i := range count {
		err := cmp.Or(m.client.checkArguments(m.ctx, m.key(i)), m.limits.check())
		switch {
		case m.items == nil:
		case m.items[i] == nil:
			err = errNilItem
		case err == nil:
			err = checkTTL(m.items[i].TTL)
		}
		if err != nil {
			m.fail(i, &OpError{Op: m.name, Err: err})
			continue
		}
		which = append(which, i)
	}
	return which
}

// write does work on the servers of the keys, or on all of them.
func (m *multi) write(count int, work partWork) error {
	m.run(count, func(which []int) {
		if m.client.opts.Replicate {
			m.writeReplicas(which, work)
		} else {
			m.runParts(which, work)
		}
	})
	return m.err()
}

// run calls do for the keys that can be sent, and again for those whose server
// was removed meanwhile.
func (m *multi) run(count int, do func(which []int)) {
	if count == 0 {
		m.whole = m.client.usable(m.ctx)
		return
	}
	which := m.valid(count)
	for range maxTopologies {
		if len(which) == 0 {
			return
		}
		do(which)
		which, m.moved = m.moved, nil
	}
	m.failAll(which, &OpError{Op: m.name, Err: unavailable(errors.New("the servers keep changing"))})
}

// runParts does work on the servers of the keys, all at the same time.
func (m *multi) runParts(which []int, work partWork) {
	t := m.client.topology.Load()
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

// over says why nothing more is to be sent, if it is so.
func (m *multi) over() error {
	err := m.ctx.Err()
	if err == nil && m.client.now() >= m.limits.deadline {
		err = m.limits.timedOut()
	}
	if err == nil {
		return nil
	}
	return &OpError{Op: m.name, Err: err}
}

// send carries out one batch and notes what failed. After an error the batch has
// failed as a whole and must not be looked at any more.
func (m *multi) send(n *node, op wire.Opcode, which []int, b multiBatch) error {
	cl := m.client.newCall(op, "")
	cl.batch, cl.span, cl.limits, cl.late = b, uint32(len(which)), m.limits, true
	repeatable := !cl.writes()
	ctx, end := m.client.trace(m.ctx, Op{Name: m.name, Keys: len(which), Server: n.addr.name})
	owned, err := n.doWithRetry(ctx, cl)
	if owned {
		cl.free()
	}
	if err != nil {
		err = m.client.faultError(n, m.name, "", repeatable, err)
		end(err)
		m.failAll(which, err)
		return err
	}
	if len(b.failures()) > 0 {
		n.counters.errors.Add(1)
	}
	end(m.failSome(n, op, which, b.failures()))
	return nil
}

// failAll notes that keys failed for the same reason.
func (m *multi) failAll(which []int, err error) {
	for _, i := range which {
		m.fail(i, err)
	}
}

// failSome notes which keys of a batch the server refused, and returns that.
func (m *multi) failSome(n *node, op wire.Opcode, which []int, failed failures) error {
	if len(failed) == 0 {
		return nil
	}
	errs := make(map[string]error, len(failed))
	for j, err := range failed {
		if op == wire.OpSet && errors.Is(err, ErrCASConflict) {
			err = ErrNotStored
		}
		e := &OpError{Op: m.name, Key: m.key(which[j]), Server: n.addr.name, Err: err}
		m.fail(which[j], e)
		errs[e.Key] = e
	}
	return &MultiError{Errors: errs}
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
