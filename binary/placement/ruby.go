package placement

import (
	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/internal/ring"
)

// Placements of Ruby clients.

// Dalli is the ring of the Ruby client Dalli. Its namespace is part of the
// placement.
func Dalli(servers []memcached.Server) func(key string) int { return ring.Dalli(toRing(servers)) }
