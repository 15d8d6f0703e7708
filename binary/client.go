package memcached

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// Client talks to a set of memcached servers. It is safe for concurrent use;
// a program makes one and shares it.
type Client struct {
	opts     Options
	maxFrame int
	start    time.Time // zero of the client's clock
	logger   *slog.Logger
	dialer   dialer

	weights    map[string]int           // by address.target
	topology   atomic.Pointer[topology] // replaced under mu
	counters   clientCounters
	gets       [shards]getCounters
	goroutines sync.WaitGroup
	calls      sync.Pool     // of *call
	done       chan struct{} // closed by Close

	mu       sync.Mutex // guards what follows, and changes of the topology
	closed   bool
	retiring map[*node]bool        // removed, with operations in flight
	removed  ServerStats           // the sum of those that are gone
	writes   map[string]*unsettled // by address.target; see forgetWrites
}

// New returns a client of the given servers. A server is "host", "host:port",
// "[::1]:11211", "::1", the path of a Unix socket, "unix:///path" or
// "tcp://host:port"; the default port is 11211. Names are resolved whenever a
// connection is made.
//
// New does not connect: that happens on first use. The error says what is wrong
// with the arguments. Nil options are defaults.
func New(servers []string, opts *Options) (*Client, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	addrs, err := parseAddresses(servers)
	if err != nil {
		return nil, err
	}
	weights, err := parseWeights(o.Weights)
	if err != nil {
		return nil, err
	}
	c := &Client{
		opts: o, weights: weights, start: time.Now(), logger: o.Logger, dialer: newDialer(),
		done: make(chan struct{}), retiring: map[*node]bool{},
	}
	c.maxFrame = max(o.MaxItemSize, 1<<20) + frameSlack
	nodes := make([]*node, len(addrs))
	for i, a := range addrs {
		nodes[i] = newNode(c, a)
	}
	c.topology.Store(c.newTopology(nodes))
	return c, nil
}

// Close ends all connections. Operations under way and later ones return
// ErrClosed. It returns when the client's goroutines have ended, and is
// idempotent.
func (c *Client) Close() error {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.done)
	}
	nodes := slices.AppendSeq(slices.Clone(c.topology.Load().nodes), maps.Keys(c.retiring))
	c.mu.Unlock()
	for _, n := range nodes {
		n.close(ErrClosed)
	}
	c.goroutines.Wait()
	return nil
}

// Options returns a copy of the options, with defaults filled in.
func (c *Client) Options() Options {
	o := c.opts
	o.Weights = maps.Clone(o.Weights)
	if o.TLS != nil {
		o.TLS = o.TLS.Clone()
	}
	return o
}

func (c *Client) log() *slog.Logger {
	if c.logger == nil {
		return slog.Default()
	}
	return c.logger
}

// Get returns the item of a key, or ErrCacheMiss. The item belongs to the
// caller.
func (c *Client) Get(ctx context.Context, key string) (*Item, error) {
	return c.get(ctx, "get", c.newCall(wire.OpGet, key))
}

// GetAndTouch returns the item of a key and sets its time to live, as
// Item.TTL says, in one operation.
func (c *Client) GetAndTouch(ctx context.Context, key string, ttl time.Duration) (*Item, error) {
	const name = "get_and_touch"
	if err := checkTTL(ttl); err != nil {
		return nil, &OpError{Op: name, Key: key, Err: err}
	}
	cl := c.newCall(wire.OpGAT, key)
	cl.expiry = expiry(ttl)
	return c.get(ctx, name, cl)
}

func (c *Client) get(ctx context.Context, name string, cl *call) (*Item, error) {
	key := cl.key
	cl, err := c.run(ctx, name, cl)
	if err != nil {
		return nil, err
	}
	item := &Item{Key: key, Value: cl.result.value, Flags: cl.result.flags}
	if !c.opts.Replicate { // else it is the version of one server
		item.CAS = cl.result.cas
	}
	cl.free()
	return item, nil
}

// AppendValue appends the value of a key to dst and returns the extended slice
// and the item's flags. It does not allocate when dst has room. dst must not be
// used while AppendValue runs. After an error, dst is unchanged up to its
// length; the bytes between its length and capacity are undefined.
func (c *Client) AppendValue(ctx context.Context, dst []byte, key string) (value []byte, flags uint32, err error) {
	cl := c.newCall(wire.OpGet, key)
	cl.into, cl.fill = dst, true
	cl, err = c.run(ctx, "get", cl)
	if err != nil {
		return dst, 0, err
	}
	value, flags = cl.result.value, cl.result.flags
	cl.free()
	return value, flags, nil
}

// Set stores an item, whether the key exists or not, and sets Item.CAS to its
// version.
func (c *Client) Set(ctx context.Context, item *Item) error {
	return c.store(ctx, "set", wire.OpSet, item, 0)
}

// Add stores an item if the key is not in the cache, and sets Item.CAS to its
// version; otherwise it returns ErrNotStored.
func (c *Client) Add(ctx context.Context, item *Item) error {
	return c.store(ctx, "add", wire.OpAdd, item, 0)
}

// Replace stores an item if the key is in the cache, and sets Item.CAS to its
// version; otherwise it returns ErrNotStored.
func (c *Client) Replace(ctx context.Context, item *Item) error {
	return c.store(ctx, "replace", wire.OpReplace, item, 0)
}

// CompareAndSwap stores an item if the cached item still has version Item.CAS,
// which a read or a write returned, and sets Item.CAS to the new version, so that
// it can be called again. It returns ErrCASConflict if the cached item has
// changed and ErrCacheMiss if it is gone.
func (c *Client) CompareAndSwap(ctx context.Context, item *Item) error {
	const name = "compare_and_swap"
	switch {
	case item == nil:
	case c.opts.Replicate:
		return &OpError{Op: name, Key: item.Key, Err: errReplicated}
	case item.CAS == 0:
		return &OpError{Op: name, Key: item.Key, Err: errNoCAS}
	default:
		return c.store(ctx, name, wire.OpSet, item, item.CAS)
	}
	return c.store(ctx, name, wire.OpSet, item, 0)
}

func (c *Client) store(ctx context.Context, name string, op wire.Opcode, item *Item, cas uint64) error {
	if item == nil {
		return &OpError{Op: name, Err: errNilItem}
	}
	if err := c.checkItem(item); err != nil {
		return &OpError{Op: name, Key: item.Key, Err: err}
	}
	cl := c.newCall(op, item.Key)
	cl.value, cl.flags, cl.expiry, cl.cas = item.Value, item.Flags, expiry(item.TTL), cas
	cl, err := c.run(ctx, name, cl)
	if err != nil {
		return err
	}
	if !c.opts.Replicate {
		item.CAS = cl.result.cas
	}
	cl.free()
	return nil
}

// checkItem says why an item must not be sent, if it is so.
func (c *Client) checkItem(item *Item) error {
	if err := checkTTL(item.TTL); err != nil {
		return err
	}
	return c.checkSize(item)
}

// Append adds value after the value of a key, and keeps the flags and the time
// to live. It returns ErrNotStored if the key is missing or would grow too large.
func (c *Client) Append(ctx context.Context, key string, value []byte) error {
	return c.concat(ctx, "append", wire.OpAppend, key, value)
}

// Prepend adds value before the value of a key. It is otherwise like Append.
func (c *Client) Prepend(ctx context.Context, key string, value []byte) error {
	return c.concat(ctx, "prepend", wire.OpPrepend, key, value)
}

func (c *Client) concat(ctx context.Context, name string, op wire.Opcode, key string, value []byte) error {
	if err := c.checkSize(&Item{Key: key, Value: value}); err != nil {
		return &OpError{Op: name, Key: key, Err: err}
	}
	cl := c.newCall(op, key)
	cl.value = value
	return c.finish(c.run(ctx, name, cl))
}

// Touch sets the time to live of an item, as Item.TTL says, or returns
// ErrCacheMiss.
func (c *Client) Touch(ctx context.Context, key string, ttl time.Duration) error {
	const name = "touch"
	if err := checkTTL(ttl); err != nil {
		return &OpError{Op: name, Key: key, Err: err}
	}
	cl := c.newCall(wire.OpTouch, key)
	cl.expiry = expiry(ttl)
	return c.finish(c.run(ctx, name, cl))
}

// Delete removes an item, or returns ErrCacheMiss.
func (c *Client) Delete(ctx context.Context, key string) error {
	return c.finish(c.run(ctx, "delete", c.newCall(wire.OpDelete, key)))
}

// CompareAndDelete removes an item if it still has version cas. It returns
// ErrCASConflict if the item has changed and ErrCacheMiss if it is gone.
func (c *Client) CompareAndDelete(ctx context.Context, key string, cas uint64) error {
	const name = "compare_and_delete"
	switch {
	case c.opts.Replicate:
		return &OpError{Op: name, Key: key, Err: errReplicated}
	case cas == 0:
		return &OpError{Op: name, Key: key, Err: errNoCAS}
	}
	cl := c.newCall(wire.OpDelete, key)
	cl.cas = cas
	return c.finish(c.run(ctx, name, cl))
}

// finish ends an operation that returns nothing but its error.
func (c *Client) finish(cl *call, err error) error {
	if err == nil {
		cl.free()
	}
	return err
}
