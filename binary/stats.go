package memcached

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// Stats is what a client has done since it was made, and what it holds now.
// The numbers are taken one after another, not at one instant.
type Stats struct {
	// Gets counts keys that were asked for; Hits and Misses the answers:
	// Gets = Hits + Misses + failures.
	Gets, Hits, Misses uint64
	// Ops counts operations on servers, Errors those that ended in a fault.
	// Answers such as out of memory, too large and not a number are faults;
	// misses, conflicts and unmet conditions are not. An operation on many keys
	// counts once for each batch.
	Ops, Errors uint64
	// Timeouts counts operations that ended because time ran out,
	// Cancellations those whose context was cancelled.
	Timeouts, Cancellations uint64
	// Retries counts operations that were sent a second time.
	Retries uint64
	// Servers holds the numbers of each server, by address as given to New.
	Servers map[string]ServerStats
}

// ServerStats are the numbers of one server within Stats.
type ServerStats struct {
	// Conns is how many connections are open now.
	Conns int
	// InFlight is how many operations are under way now.
	InFlight int
	// Dials counts connections opened, DialErrors those that failed at
	// dialling, TLS or authentication.
	Dials, DialErrors uint64
	// Ops counts operations, Errors those that ended in a fault: see Stats.
	Ops, Errors uint64
	// Down says that the server failed and rests until it is tried again.
	Down bool
	// Ejected says that the distribution leaves the server out.
	Ejected bool
}

// clientCounters are the numbers behind Stats.
type clientCounters struct {
	timeouts, cancelled, retries atomic.Uint64
}

// serverCounters are the numbers behind ServerStats.
type serverCounters struct {
	ops, errors, dials, dialErrors atomic.Uint64
}

// getCounters counts keys that were asked for. There are several of them, so
// that processors do not wait for each other.
type getCounters struct {
	hits, misses, failed atomic.Uint64
	_                    cacheLine
}

const shards = 8 // of getCounters

var nextShard atomic.Uint32 // the last that was given out

// count counts a key that was asked for.
func (k *getCounters) count(err error) {
	switch err {
	case nil:
		k.hits.Add(1)
	case ErrCacheMiss:
		k.misses.Add(1)
	default:
		k.failed.Add(1)
	}
}

// Stats returns what the client has done since it was made.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := &c.counters
	s := Stats{
		Ops: c.removed.Ops, Errors: c.removed.Errors,
		Timeouts: k.timeouts.Load(), Cancellations: k.cancelled.Load(), Retries: k.retries.Load(),
		Servers: map[string]ServerStats{},
	}
	for i := range c.gets {
		g := &c.gets[i]
		hits, misses := g.hits.Load(), g.misses.Load()
		s.Hits += hits
		s.Misses += misses
		s.Gets += hits + misses + g.failed.Load()
	}
	for n := range c.retiring {
		server := n.stats()
		s.Ops += server.Ops
		s.Errors += server.Errors
	}
	for _, n := range c.topology.Load().nodes {
		server := n.stats()
		s.Servers[n.addr.name] = server
		s.Ops += server.Ops
		s.Errors += server.Errors
	}
	return s
}

func (n *node) stats() ServerStats {
	n.mu.Lock()
	defer n.mu.Unlock()
	return ServerStats{
		Conns: n.open(), InFlight: n.operations(),
		Dials: n.counters.dials.Load(), DialErrors: n.counters.dialErrors.Load(),
		Ops: n.counters.ops.Load(), Errors: n.counters.errors.Load(),
		Down: n.health.err != nil, Ejected: n.health.ejected,
	}
}

// operations returns, under mu, how many are under way.
func (n *node) operations() int {
	total := int(n.inFlight.Load())
	for _, c := range slices.Concat(*n.conns.Load(), n.suspects, n.leaving) {
		total += c.sharedCalls()
	}
	return max(0, total)
}

// sharedCalls returns how many calls share the connection, without the one that
// they count as.
func (c *conn) sharedCalls() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.lane.held {
		waiting := 0
		for _, cl := range c.waiting {
			if cl.shared {
				waiting++
			}
		}
		return waiting
	}
	return int(c.out.enqueued-c.dequeued.Load()) + len(c.waiting) + c.admitted - int(c.load.Load())
}

// maxStats bounds what one server may answer to ServerStats.
const maxStats = 16 << 20

// statBatch is a STAT, answered by a sequence of responses with the same
// opaque. One with an empty key ends it, and so does a failure, as which an
// unknown group is answered (proto_bin.c).
type statBatch struct {
	group  string
	values map[string]string
	size   int
	failed *StatusError
}

func (b *statBatch) reset() { clear(b.values); b.size, b.failed = 0, nil }

func (b *statBatch) encode(dst []byte, first uint32) []byte {
	return wire.AppendKey(dst, wire.OpStat, first, b.group)
}

func (b *statBatch) deliver(r *response) error {
	switch {
	case r.Status != wire.StatusOK:
		b.failed = &StatusError{Status: Status(r.Status), Message: string(r.value[:min(len(r.value), maxMessage)])}
	case len(r.key) > 0:
		if b.size += len(r.key) + len(r.value); b.size > maxStats {
			return fmt.Errorf("%w: statistics of more than %d bytes", wire.ErrFrame, maxStats)
		}
		b.values[string(r.key)] = string(r.value)
	}
	return nil
}

func (b *statBatch) last(r *response) bool {
	return r.Status != wire.StatusOK || len(r.key) == 0
}
