package main

import (
	"strings"
	"unsafe"

	"github.com/memcachier/mc/v3"
)

// mcPeer is github.com/memcachier/mc: binary protocol with SASL PLAIN, a pool
// of connections, one operation on each.
type mcPeer struct{}

func (mcPeer) Name() string   { return mcClient }
func (mcPeer) Module() string { return "github.com/memcachier/mc/v3" }

// Open sizes the pool for the callers; the library's default is 1.
func (mcPeer) Open(servers []string, callers int) (Client, error) {
	config := mc.DefaultConfig()
	config.PoolSize = callers
	return &mcAdapter{mc.NewMCwithConfig(strings.Join(servers, ","), "", "", config)}, nil
}

type mcAdapter struct{ c *mc.Client }

// Get looks at the string's bytes in place: a conversion would add a copy to
// the library's own work.
func (m *mcAdapter) Get(key string) ([]byte, error) {
	value, _, _, err := m.c.Get(key)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice(unsafe.StringData(value), len(value)), nil
}

// Set passes the value's bytes as a string in place, which holds because the
// caller leaves them alone during the call.
func (m *mcAdapter) Set(key string, value []byte) error {
	_, err := m.c.Set(key, unsafe.String(unsafe.SliceData(value), len(value)), 0, 0, 0)
	return err
}

func (*mcAdapter) GetMulti([]string, func(string, []byte)) error { return errUnsupported }
func (*mcAdapter) SetMulti([]string, [][]byte) error             { return errUnsupported }

func (m *mcAdapter) Close() error {
	m.c.Quit()
	return nil
}
