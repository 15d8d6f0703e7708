package memcachedtest

import (
	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// maxBody is the longest body that is read at all. (1.6.18 has no such limit
// and gets into trouble above 2 GiB; later versions have this one.)
const maxBody = 1 << 30

// handle carries out one request. Its checks and their order are those of
// dispatch_bin_command in proto_bin.c. An error ends the connection.
func (c *conn) handle(req *request) error {
	keyAndExtras := uint32(req.KeyLen) + uint32(req.ExtrasLen)
	switch {
	case keyAndExtras > req.BodyLen:
		c.fail(req, wire.StatusUnknownCommand)
		return errHangUp
	case req.BodyLen > maxBody:
		c.fail(req, wire.StatusInvalid)
		return errHangUp
	case !c.allowed(req.Opcode):
		c.fail(req, wire.StatusAuthError)
		return errHangUp
	case req.KeyLen > wire.MaxKeyLen:
		return c.malformed(req)
	}
	op := req.Opcode.Loud()
	if !c.wellFormed(op, req) {
		return c.malformed(req)
	}
	return c.execute(op, req)
}

// wellFormed reports whether the request's parts have the lengths that its
// opcode asks for. memcached does not look at the value of some opcodes, which
// then becomes the start of the next request.
func (c *conn) wellFormed(op wire.Opcode, req *request) bool {
	key, extras, value := req.KeyLen, req.ExtrasLen, req.ValueLen()
	switch op {
	case wire.OpVersion, wire.OpNoop, wire.OpQuit, wire.OpSASLList:
		return key == 0 && extras == 0 && value == 0
	case wire.OpFlush:
		return key == 0 && value == 0 && (extras == 0 || extras == 4)
	case wire.OpSet, wire.OpAdd, wire.OpReplace:
		return key > 0 && extras == wire.StoreExtrasLen
	case wire.OpGet, wire.OpGetK, wire.OpDelete:
		return key > 0 && extras == 0 && value == 0
	case wire.OpIncrement, wire.OpDecrement:
		return key > 0 && extras == wire.CounterExtrasLen && value == 0
	case wire.OpAppend, wire.OpPrepend, wire.OpSASLAuth, wire.OpSASLStep:
		return key > 0 && extras == 0
	case wire.OpStat:
		return extras == 0
	case wire.OpTouch, wire.OpGAT, wire.OpGATK:
		return key > 0 && extras == 4
	default:
		return true
	}
}

func (c *conn) execute(op wire.Opcode, req *request) error {
	switch op {
	case wire.OpGet, wire.OpGetK, wire.OpTouch, wire.OpGAT, wire.OpGATK:
		c.get(op, req)
	case wire.OpSet, wire.OpAdd, wire.OpReplace:
		return c.store(op, req)
	case wire.OpAppend, wire.OpPrepend:
		return c.concat(op, req)
	case wire.OpDelete:
		c.remove(req)
	case wire.OpIncrement, wire.OpDecrement:
		c.count(op, req)
	case wire.OpFlush:
		c.flushAll(req)
	case wire.OpNoop:
		c.succeed(req, 0)
	case wire.OpVersion:
		c.answer(req, wire.StatusOK, 0, nil, nil, []byte(version))
	case wire.OpStat:
		c.stat(req)
	case wire.OpQuit:
		c.succeed(req, 0)
		return errHangUp
	case wire.OpSASLList:
		c.saslList(req)
	case wire.OpSASLAuth, wire.OpSASLStep:
		return c.saslAuth(op, req)
	default:
		return c.unknown(req)
	}
	return nil
}

// malformed answers and ends the connection.
func (c *conn) malformed(req *request) error {
	c.fail(req, wire.StatusInvalid)
	return errHangUp
}

// unknown answers and then drops the length of the whole body, although
// extras and key were read before: the start of the next request is lost. When
// what is left of that is no request, the connection ends, and the answer to a
// request with a body was not written yet, unless others followed it (conn_swallow).
func (c *conn) unknown(req *request) error {
	held := len(c.out)
	c.fail(req, wire.StatusUnknownCommand)
	if req.BodyLen > 0 {
		c.held = held
	}
	return c.discard(int(req.BodyLen))
}
