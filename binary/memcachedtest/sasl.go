package memcachedtest

import "github.com/bmemcached/bmemcached-go/binary/internal/wire"

type saslState struct{}

func (c *conn) allowed(wire.Opcode) bool { return true }

func (c *conn) saslList(req *request) { c.fail(req, wire.StatusUnknownCommand) }

func (c *conn) saslAuth(op wire.Opcode, req *request) error {
	c.fail(req, wire.StatusUnknownCommand)
	return c.discard(req.ValueLen())
}
