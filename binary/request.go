package memcached

import (
	"encoding/binary"
	"fmt"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// request is what one frame asks for.
type request struct {
	op             wire.Opcode
	prefix         string // Options.Prefix
	key            string
	value          []byte // read until the frame is written or the call abandoned
	flags          uint32
	expiry         uint32
	cas            uint64
	delta, initial uint64
}

// append encodes the request. The value of a store operation follows only if
// inline says so; otherwise the writer sends it from where it is.
func (r *request) append(dst []byte, opaque uint32, inline bool) []byte {
	at := len(dst)
	switch r.op {
	case wire.OpGet:
		dst = wire.AppendKey(dst, r.op, opaque, r.key)
	case wire.OpSet, wire.OpAdd, wire.OpReplace:
		dst = wire.AppendStore(dst, r.op, opaque, r.key, len(r.value), r.flags, r.expiry, r.cas)
	case wire.OpAppend, wire.OpPrepend:
		dst = wire.AppendConcat(dst, r.op, opaque, r.key, len(r.value))
	case wire.OpDelete:
		dst = wire.AppendDelete(dst, r.op, opaque, r.key, r.cas)
	case wire.OpIncrement, wire.OpDecrement:
		dst = wire.AppendCounter(dst, r.op, opaque, r.key, r.delta, r.initial, r.expiry)
	case wire.OpTouch, wire.OpGAT:
		dst = wire.AppendTouch(dst, r.op, opaque, r.key, r.expiry)
	case wire.OpFlush:
		return wire.AppendFlush(dst, r.op, opaque, r.expiry)
	default:
		return wire.AppendSimple(dst, r.op, opaque)
	}
	if r.prefix != "" {
		dst = wire.InsertPrefix(dst, at, r.prefix)
	}
	if inline {
		dst = append(dst, r.value...)
	}
	return dst
}

// writes reports whether the request changes what the server holds. One that
// does not can be sent again.
func (r *request) writes() bool {
	switch r.op {
	case wire.OpGet, wire.OpGetK, wire.OpStat, wire.OpVersion, wire.OpNoop:
		return false
	default: // GAT and TOUCH too: a late one changes the time to live of a newer item
		return true
	}
}

// returnsValue reports whether the response has flags and a value.
func (r *request) returnsValue() bool { return r.op == wire.OpGet || r.op == wire.OpGAT }

// result is what the response said.
type result struct {
	status  wire.Status
	flags   uint32
	cas     uint64
	number  uint64 // of counters
	value   []byte
	message string // of failures that are no plain answer
	skipped int    // size of a value above the client's limit
}

// take reads the response to a single request.
func (res *result) take(cl *call, r *response) error {
	res.status = r.Status
	if r.Status != wire.StatusOK {
		if r.Status != wire.StatusKeyNotFound && r.Status != wire.StatusKeyExists {
			res.message = string(r.value[:min(len(r.value), maxMessage)])
		}
		return nil
	}
	res.cas = r.CAS
	switch cl.op {
	case wire.OpGet, wire.OpGAT:
		if len(r.extras) != 4 || len(r.key) != 0 {
			return fmt.Errorf("%w: %s with %d bytes of extras and %d of key", wire.ErrFrame, cl.op, len(r.extras), len(r.key))
		}
		res.flags = binary.BigEndian.Uint32(r.extras)
		switch {
		case r.skipped > 0:
			res.skipped = r.skipped
		case r.placed:
			res.value = cl.into[:len(cl.into)+len(r.value)]
		case cl.fill:
			res.value = append(cl.into, r.value...)
		default:
			res.value = r.keep()
		}
	case wire.OpIncrement, wire.OpDecrement:
		if len(r.value) != 8 {
			return fmt.Errorf("%w: %s with %d bytes of value", wire.ErrFrame, cl.op, len(r.value))
		}
		res.number = binary.BigEndian.Uint64(r.value)
	case wire.OpVersion:
		res.message = string(r.value[:min(len(r.value), maxMessage)])
	}
	return nil
}
