package memcachedtest

import (
	"encoding/binary"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// get answers the GET and GAT families and TOUCH (proto_bin.c,
// process_bin_get_or_touch).
func (c *conn) get(op wire.Opcode, req *request) {
	var it stored
	var ok bool
	switch op {
	case wire.OpGet, wire.OpGetK:
		it, ok = c.server.storage.get(req.key)
	default:
		it, ok = c.server.storage.touch(req.key, binary.BigEndian.Uint32(req.extras))
	}
	var key []byte
	if op == wire.OpGetK || op == wire.OpGATK {
		key = req.key
	}
	if !ok {
		c.miss(req, key)
		return
	}
	value := it.value
	if op == wire.OpTouch {
		value = nil
	}
	var flags [4]byte
	binary.BigEndian.PutUint32(flags[:], it.flags)
	c.answer(req, wire.StatusOK, it.cas, flags[:], key, value)
}

// miss answers with the key alone if the request wants keys.
func (c *conn) miss(req *request, key []byte) {
	switch {
	case req.Opcode.IsQuiet():
	case key != nil:
		c.answer(req, wire.StatusKeyNotFound, 0, nil, key, nil)
	default:
		c.fail(req, wire.StatusKeyNotFound)
	}
}

// store answers SET, ADD and REPLACE.
func (c *conn) store(op wire.Opcode, req *request) error {
	flags, exptime := wire.DecodeStoreExtras(req.extras)
	st := c.server.storage
	if !st.fits(len(req.key), req.ValueLen(), flags) {
		if op == wire.OpSet {
			st.tooLarge(req.key)
		}
		c.fail(req, wire.StatusTooLarge)
		return c.discard(req.ValueLen())
	}
	value, err := c.value(req.ValueLen())
	if err != nil {
		return err
	}
	cas, status := st.store(op, req.key, value, flags, exptime, req.CAS)
	c.finish(req, cas, status)
	return nil
}

// concat answers APPEND and PREPEND.
func (c *conn) concat(op wire.Opcode, req *request) error {
	st := c.server.storage
	if !st.fits(len(req.key), req.ValueLen(), 0) {
		c.fail(req, wire.StatusTooLarge)
		return c.discard(req.ValueLen())
	}
	value, err := c.value(req.ValueLen())
	if err != nil {
		return err
	}
	cas, status := st.concat(op, req.key, value, req.CAS)
	c.finish(req, cas, status)
	return nil
}

// finish answers with the outcome of a write.
func (c *conn) finish(req *request, cas uint64, status wire.Status) {
	if status != wire.StatusOK {
		c.fail(req, status)
		return
	}
	c.succeed(req, cas)
}

// remove answers DELETE.
func (c *conn) remove(req *request) {
	c.finish(req, 0, c.server.storage.remove(req.key, req.CAS))
}

// count answers INCREMENT and DECREMENT.
func (c *conn) count(op wire.Opcode, req *request) {
	d := delta{decrement: op == wire.OpDecrement, cas: req.CAS}
	d.delta, d.initial, d.exptime = wire.DecodeCounterExtras(req.extras)
	value, cas, status := c.server.storage.add(req.key, d)
	switch {
	case status != wire.StatusOK:
		c.fail(req, status)
	case !req.Opcode.IsQuiet():
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], value)
		c.answer(req, status, cas, nil, nil, b[:])
	}
}

// flushAll answers FLUSH.
func (c *conn) flushAll(req *request) {
	if c.server.opts.DisableFlush {
		c.fail(req, wire.StatusAuthError)
		return
	}
	var exptime uint32
	if len(req.extras) == 4 {
		exptime = binary.BigEndian.Uint32(req.extras)
	}
	c.server.storage.flush(exptime)
	c.succeed(req, 0)
}
