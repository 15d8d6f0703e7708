package middleware

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// Cache is a shared HTTP cache (RFC 9111) that keeps its responses in memcached. It
// is safe for concurrent use. Caches with the same servers and prefix, in one
// process or in many, use the same stored responses.
type Cache struct {
	client Client
	opts   Options
	policy *policy.Config
	keys   keyspace
	shown  map[string]bool // request fields that handlers see; nil: all that are not unkeyed

	lookups    jointLookups
	flights    flights
	recordings recordings // of responses that are being made
	bodies     bodies     // of stored ones, from chunks
	hints      hints
	deadlines  deadlines    // of lookups
	faultLog   seldom       // when faults of memcached are logged
	strayLog   seldom       // when revalidations are that do not come to the cache
	unitLog    seldom       // when lifetimes without a unit are
	maxChunk   atomic.Int64 // the largest item that the servers are known to take

	versionless atomic.Bool // the client does not write by version

	stop    context.CancelFunc
	stopped context.Context

	mu     sync.Mutex     // guards closed, and work while it is not
	closed bool           // no more goroutines
	work   sync.WaitGroup // goroutines: background revalidation, stores and invalidation

	stores, refreshes slots // apart: handlers that take long keep nothing from being stored
}

// slots bounds the goroutines of a kind. Nil: they have another bound.
type slots chan struct{}

// maxWork bounds the stores and the revalidations that go on at once.
const maxWork = 256

// New returns a cache that keeps its responses through client. It copies opts; nil
// means defaults. An error says which option is wrong. A nil client panics.
func New(client Client, opts *Options) (*Cache, error) {
	if c, ok := client.(*memcached.Client); client == nil || ok && c == nil {
		panic("middleware: New: client is nil")
	}
	if opts == nil {
		opts = new(Options)
	}
	if err := opts.check(); err != nil {
		return nil, err
	}
	o := opts.withDefaults()
	c := &Cache{
		client: client,
		opts:   o,
		policy: o.policy(),
		keys:   keyspace{prefix: o.Prefix},

		stores: make(slots, maxWork), refreshes: make(slots, maxWork),
	}
	if err := c.useKeys(o.SealKeys); err != nil {
		return nil, err
	}
	if o.RequestFields != nil {
		c.shown = make(map[string]bool, len(o.RequestFields))
		for _, name := range o.RequestFields {
			c.shown[http.CanonicalHeaderKey(name)] = true
		}
	}
	c.recordings.left, c.bodies.room.left, c.bodies.most = o.MaxRecordings, o.MaxRecordings, o.MaxRecordings
	c.maxChunk.Store(stored.MaxValue)
	c.deadlines.limit = o.LookupTimeout
	c.lookups.waits.limit = o.LookupTimeout / waitPart
	c.stopped, c.stop = context.WithCancel(context.Background())
	return c, nil
}

// Close ends background revalidation, and waits for it and for stores under way.
// Later requests are still answered with what is stored, and store nothing new. The
// client stays open: it belongs to the caller.
func (c *Cache) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.stop()
	c.work.Wait()
	return nil
}

// spawn runs f in a goroutine of the cache, or reports false when too many run
// or the cache is closed.
func (c *Cache) spawn(kind slots, f func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	if kind == nil {
		c.work.Go(f)
		return true
	}
	select {
	case kind <- struct{}{}:
	default:
		return false
	}
	c.work.Go(func() {
		defer func() { <-kind }()
		f()
	})
	return true
}

// now is the clock of the cache.
func (c *Cache) now() time.Time { return time.Now() }

// isAnswer reports whether err is what a healthy server says, rather than a
// fault.
func isAnswer(err error) bool {
	return err == nil || errors.Is(err, memcached.ErrCacheMiss) ||
		errors.Is(err, memcached.ErrNotStored) || errors.Is(err, memcached.ErrCASConflict)
}

// fault reports a fault of memcached.
func (c *Cache) fault(key string, took time.Duration, err error) {
	c.event(Event{Kind: EventError, Key: key, Duration: took, Err: err})
	if c.faultLog.due(c.now()) {
		c.opts.Logger.Warn("middleware: cache unavailable, serving without it", "error", err, "lookup_timeout", c.opts.LookupTimeout)
	}
}

// logPanic logs a panic that ends here, with where it came from, as net/http does with
// those that reach it.
func (c *Cache) logPanic(what string, cause any) {
	c.opts.Logger.Error(what, "panic", cause, "stack", string(debug.Stack()))
}

// seldom is due at most once in ten seconds.
type seldom struct{ last atomic.Int64 } // in Unix nanoseconds

func (s *seldom) due(now time.Time) bool {
	const pause = 10 * time.Second
	last := s.last.Load()
	return now.UnixNano()-last >= int64(pause) && s.last.CompareAndSwap(last, now.UnixNano())
}

func (c *Cache) event(e Event) {
	if c.opts.OnEvent != nil {
		c.opts.OnEvent(e)
	}
}
