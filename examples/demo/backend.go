package main

import (
	"fmt"
	"strings"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/examples/internal/connect"
)

// nodes is how many servers run inside the process when the environment names
// none: enough to see one fail and the others carry on.
const nodes = 3

// A backend is the memcached that the site uses: servers inside the process, or
// those of the environment.
type backend struct {
	addrs    []string
	options  memcached.Options
	embedded []*memcachedtest.Server // in the order of addrs; nil: real servers
	stopped  []bool                  // guarded by site.controls
}

// openBackend reads the environment. The caller closes the backend.
func openBackend(getenv func(string) string) (*backend, error) {
	if getenv("MEMCACHED_SERVERS") == "" {
		return startBackend()
	}
	b := &backend{}
	var err error
	if b.addrs, err = connect.Environment(getenv, &b.options); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	return b, nil
}

// startBackend starts servers in the process.
func startBackend() (*backend, error) {
	b := &backend{stopped: make([]bool, nodes)}
	var err error
	if b.embedded, err = connect.Embedded(nodes, &b.options); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	for _, server := range b.embedded {
		b.addrs = append(b.addrs, server.Addr())
	}
	return b, nil
}

// stop stops a server of the process: it answers no more.
func (b *backend) stop(i int) {
	b.embedded[i].Stop()
	b.stopped[i] = true
}

// restart starts a server of the process again, empty.
func (b *backend) restart(i int) error {
	if err := b.embedded[i].Restart(); err != nil {
		return err
	}
	b.stopped[i] = false
	return nil
}

// close ends the servers of the process.
func (b *backend) close() {
	for _, server := range b.embedded {
		server.Close()
	}
}

// String says where the memcached is.
func (b *backend) String() string {
	where := strings.Join(b.addrs, ", ")
	if b.embedded != nil {
		where += " (inside this process)"
	}
	return where
}
