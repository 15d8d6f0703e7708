package main

import (
	"errors"
	"runtime/debug"
	"slices"
)

// Peer is one client library under measurement.
type Peer interface {
	// Name is the peer's name in tables and in -peers.
	Name() string
	// Module is the path of the Go module that holds the library, for its
	// version in the report.
	Module() string
	// Open connects a client to servers, configured as the library's own
	// documentation advises for that many concurrent callers.
	Open(servers []string, callers int) (Client, error)
}

// Client is what the workloads ask of a library. Its adapters add nothing to an
// operation: no copy of a value, no allocation that a user of the library would
// not make as well.
type Client interface {
	// Get returns the value of key, which is only read by the caller.
	Get(key string) ([]byte, error)
	// Set stores value, without expiry.
	Set(key string, value []byte) error
	// GetMulti calls visit for each key found.
	GetMulti(keys []string, visit func(key string, value []byte)) error
	// SetMulti stores values[i] under keys[i], by the best means that the
	// library has.
	SetMulti(keys []string, values [][]byte) error
	Close() error
}

// errUnsupported is what an adapter answers where its library has no such
// operation. Rows leave such peers out.
var errUnsupported = errors.New("bench: the library has no such operation")

// Names of the peers.
const (
	ours          = "ours"
	gomemcache    = "gomemcache"
	mcClient      = "mc"
	gomemcached   = "gomemcached"
	rueidisClient = "rueidis"
	goredisClient = "go-redis"
	rawLimit      = "raw"
	rawMulti      = "raw batches"
)

// peers holds every peer in the order of the tables.
var peers = []Peer{
	oursPeer{}, gomemcachePeer{}, mcPeer{}, gomemcachedPeer{}, rueidisPeer{}, goredisPeer{}, rawPeer{}, rawMultiPeer{},
}

// isOnRedis tells whether a peer is a client for Redis and not for memcached.
func isOnRedis(p Peer) bool {
	_, ok := p.(interface{ onRedis() })
	return ok
}

// peerByName returns the peer of that name, or nil.
func peerByName(name string) Peer {
	i := slices.IndexFunc(peers, func(p Peer) bool { return p.Name() == name })
	if i < 0 {
		return nil
	}
	return peers[i]
}

// layerModules are the modules of contestants that are no clients.
var layerModules = []string{
	"gin-contrib/cache", "gin-contrib/sessions", "chenyahui/gin-cache", "eko/gocache/store/memcache/v4", "eko/gocache/store/redis/v4",
}

// moduleVersion returns the version of the module at path that this program
// was built with, or "this tree" for one that a replace directive points at a
// folder.
func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, dep := range info.Deps {
		if dep.Path != path {
			continue
		}
		if dep.Replace != nil {
			return "this tree"
		}
		return dep.Version
	}
	return "unknown"
}
