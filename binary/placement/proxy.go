package placement

import (
	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/internal/ring"
)

// Placements of servers that pick a memcached themselves.

// Nginx is nginx's upstream with hash $memcached_key.
func Nginx(servers []memcached.Server) func(key string) int { return ring.CRC15(toRing(servers)) }

// Twemproxy is the default of twemproxy, with servers without names.
func Twemproxy(servers []memcached.Server) func(key string) int {
	return ring.Twemproxy(toRing(servers))
}

// TwemproxyModulo is twemproxy with distribution: modula.
func TwemproxyModulo(servers []memcached.Server) func(key string) int {
	return ring.TwemproxyModulo(toRing(servers))
}

// NginxConsistent is nginx's upstream with hash $memcached_key consistent.
func NginxConsistent(servers []memcached.Server) func(key string) int {
	const points = 160
	return ring.CRCRing(points, toRing(servers))
}
