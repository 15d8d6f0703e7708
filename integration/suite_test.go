package integration_test

import (
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest/clienttest"
)

// TestClient runs the suite that also the in-process server passes.
func TestClient(t *testing.T) {
	t.Parallel()
	for _, m := range modes() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			servers, opts := m.launch(t)
			clienttest.Run(t, &m.suite, func(t *testing.T) *memcached.Client {
				return open(t, opts, servers...)
			})
		})
	}
}
