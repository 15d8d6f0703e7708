package integration_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/integration"
)

const (
	soakCallers    = 64
	soakShared     = 256 // keys that all callers read and write
	soakOwned      = 8   // keys that one caller has for itself
	soakOperations = 1_000_000
)

// TestSoak runs a million operations (MEMCACHED_SOAK: that many) from 64
// callers on three servers, of which one is killed and restarted all the time,
// and gives up a part of the operations at random moments. Nobody may ever get
// a value that is not of its key, or one that has been overwritten before.
func TestSoak(t *testing.T) {
	operations := soakOperations
	if text := os.Getenv("MEMCACHED_SOAK"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("MEMCACHED_SOAK: %v", err)
		}
		operations = n
	}
	servers := make([]*integration.Server, 3)
	for i := range servers {
		servers[i] = integration.Start(t, &integration.Options{Users: users})
	}
	opts := saslOptions()
	opts.Timeout = time.Second
	opts.RetryAfter = 100 * time.Millisecond
	client := open(t, &opts, servers...)
	if err := client.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := heap()

	s := &soak{t: t, client: client, left: int64(operations)}
	start := time.Now()
	var callers sync.WaitGroup
	for i := range soakCallers {
		callers.Go(func() { newSoakCaller(s, i).run() })
	}
	ended := make(chan struct{})
	go func() {
		callers.Wait()
		close(ended)
	}()
	restarts := s.torment(servers[2], ended)
	took := time.Since(start)

	if err := client.Close(); err != nil {
		t.Errorf("Close() = %v, want nil", err)
	}
	if left := leaked("github.com/bmemcached/bmemcached-go/binary.", 5*time.Second); len(left) > 0 {
		t.Errorf("%d goroutines are left:\n%s", len(left), bytes.Join(left, []byte("\n\n")))
	}
	if grown := heap() - before; grown > 32<<20 {
		t.Errorf("the heap has grown by %d MiB", grown>>20)
	}
	t.Logf("%d operations in %v (%.0f/s), %d restarts: %s", operations, took.Round(time.Millisecond),
		float64(operations)/took.Seconds(), restarts, s.outcomes.String())
	if s.outcomes.hits.Load() == 0 || s.outcomes.cancelled.Load() == 0 || restarts > 0 && s.outcomes.unavailable.Load() == 0 {
		t.Errorf("the soak did not meet what it is for: %s", s.outcomes.String())
	}
}

// heap returns the bytes in use after a collection.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what pools held survives the first
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// soak is what the callers share.
type soak struct {
	t        *testing.T
	client   *memcached.Client
	left     int64 // operations to be done, counted down atomically
	outcomes outcomes
}

// outcomes counts what came of the operations.
type outcomes struct{ hits, misses, cancelled, unavailable, others atomic.Int64 }

func (o *outcomes) String() string {
	return fmt.Sprintf("%d hits, %d misses, %d given up, %d unavailable, %d other answers",
		o.hits.Load(), o.misses.Load(), o.cancelled.Load(), o.unavailable.Load(), o.others.Load())
}

// torment kills and restarts server until ended is closed. When the callers
// make no progress for half a minute it shows what they do and ends the test.
func (s *soak) torment(server *integration.Server, ended <-chan struct{}) (restarts int) {
	defer func() { atomic.StoreInt64(&s.left, 0) }()
	for {
		before := atomic.LoadInt64(&s.left)
		stuck := time.After(30 * time.Second)
		select {
		case <-ended:
			return restarts
		case <-time.After(time.Duration(1000+rand.IntN(2000)) * time.Millisecond):
		}
		server.Kill()
		time.Sleep(time.Duration(rand.IntN(500)) * time.Millisecond) // how long it is dead
		server.Restart()
		restarts++
		for atomic.LoadInt64(&s.left) == before && before > 0 {
			select {
			case <-ended:
				return restarts
			case <-stuck:
				s.t.Fatalf("no operation ended within 30 s:\n%s", bytes.Join(goroutines(), []byte("\n\n")))
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
}

// soakCaller is one of the callers. Beside the shared keys it has keys of its
// own, of which it knows what they may hold.
type soakCaller struct {
	*soak
	id     int
	random *rand.Rand
	writes int
	owned  [soakOwned]ownedKey
	dst    []byte
}

// ownedKey is what the only writer of a key knows of it: the last value that is
// known to have been stored, and those that may or may not have been, or may
// still be, because the caller left before the answer.
type ownedKey struct {
	name      string
	stored    string
	uncertain []string
}

func newSoakCaller(s *soak, id int) *soakCaller {
	c := &soakCaller{soak: s, id: id, random: rand.New(rand.NewPCG(uint64(id), 42))}
	for i := range c.owned {
		c.owned[i].name = fmt.Sprintf("owned-%d-%d", id, i)
	}
	return c
}

func (c *soakCaller) run() {
	for atomic.AddInt64(&c.left, -1) >= 0 && !c.t.Failed() {
		ctx, cancel := c.context()
		c.count(c.operate(ctx))
		cancel()
	}
}

// context returns one that, for a part of the operations, ends at a bad moment.
func (c *soakCaller) context() (context.Context, context.CancelFunc) {
	switch c.random.IntN(10) {
	case 0:
		return context.WithTimeout(context.Background(), time.Duration(c.random.IntN(2000))*time.Microsecond)
	case 1:
		ctx, cancel := context.WithCancel(context.Background())
		timer := time.AfterFunc(time.Duration(c.random.IntN(1000))*time.Microsecond, cancel)
		return ctx, func() { timer.Stop(); cancel() }
	default:
		return context.Background(), func() {}
	}
}

// operate does one operation at random.
func (c *soakCaller) operate(ctx context.Context) error {
	key := fmt.Sprintf("shared-%d", c.random.IntN(soakShared))
	switch n := c.random.IntN(100); {
	case n < 25:
		return c.get(ctx, key)
	case n < 35:
		return c.appendValue(ctx, key)
	case n < 45:
		return c.getMulti(ctx)
	case n < 60:
		return c.client.Set(ctx, &memcached.Item{Key: key, Value: []byte(c.value(key)), TTL: time.Hour})
	case n < 65:
		return c.setMulti(ctx)
	case n < 70:
		return c.client.Delete(ctx, key)
	case n < 75:
		_, err := c.client.IncrementOrSet(ctx, "counter-"+key, 1, 1, 0)
		return err
	case n < 80:
		return c.client.Touch(ctx, key, time.Hour)
	case n < 90:
		return c.setOwned(ctx, &c.owned[c.random.IntN(soakOwned)])
	default:
		return c.getOwned(ctx, &c.owned[c.random.IntN(soakOwned)])
	}
}

// value returns a new value for key that says whose it is and that it is whole.
// Most are short; some pass the limit above which values take another way.
func (c *soakCaller) value(key string) string {
	size := c.random.IntN(200)
	if c.random.IntN(50) == 0 {
		size = c.random.IntN(100_000)
	}
	c.writes++
	text := fmt.Sprintf("%s by %d-%d %s", key, c.id, c.writes, strings.Repeat("x", size))
	return fmt.Sprintf("%s %08x", text, crc32.ChecksumIEEE([]byte(text)))
}

// check fails the test unless value is a whole value of key.
func (c *soakCaller) check(op, key string, value []byte) {
	at := max(0, bytes.LastIndexByte(value, ' '))
	sum := fmt.Sprintf(" %08x", crc32.ChecksumIEEE(value[:at]))
	if !bytes.HasPrefix(value, []byte(key+" by ")) || string(value[at:]) != sum {
		c.t.Errorf("%s(%q) = %d bytes %.60q, want a whole value of the key", op, key, len(value), value)
	}
}

func (c *soakCaller) get(ctx context.Context, key string) error {
	item, err := c.client.Get(ctx, key)
	if err == nil {
		c.check("Get", key, item.Value)
	}
	return err
}

func (c *soakCaller) appendValue(ctx context.Context, key string) error {
	const before = "before"
	dst, _, err := c.client.AppendValue(ctx, append(c.dst[:0], before...), key)
	if err != nil {
		c.dst = nil // a late answer must not land in what is used again
		return err
	}
	if !bytes.HasPrefix(dst, []byte(before)) {
		c.t.Errorf("AppendValue(%q) = %.60q, want it behind %q", key, dst, before)
		return nil
	}
	c.check("AppendValue", key, dst[len(before):])
	c.dst = dst
	return nil
}

// sharedKeys returns a few keys, with a duplicate now and then.
func (c *soakCaller) sharedKeys() []string {
	keys := make([]string, 2+c.random.IntN(30))
	for i := range keys {
		keys[i] = fmt.Sprintf("shared-%d", c.random.IntN(soakShared))
	}
	return keys
}

func (c *soakCaller) getMulti(ctx context.Context) error {
	keys := c.sharedKeys()
	items, err := c.client.GetMulti(ctx, keys)
	for key, item := range items {
		if !slices.Contains(keys, key) || item.Key != key {
			c.t.Errorf("GetMulti(%q) has %q as %q", keys, item.Key, key)
		}
		c.check("GetMulti", key, item.Value)
	}
	return err
}

func (c *soakCaller) setMulti(ctx context.Context) error {
	keys := c.sharedKeys()
	items := make([]*memcached.Item, len(keys))
	for i, key := range keys {
		items[i] = &memcached.Item{Key: key, Value: []byte(c.value(key))}
	}
	return c.client.SetMulti(ctx, items)
}

func (c *soakCaller) setOwned(ctx context.Context, key *ownedKey) error {
	value := c.value(key.name)
	err := c.client.Set(ctx, &memcached.Item{Key: key.name, Value: []byte(value)})
	if err != nil {
		key.uncertain = append(key.uncertain, value)
	} else {
		key.stored = value
	}
	return err
}

func (c *soakCaller) getOwned(ctx context.Context, key *ownedKey) error {
	item, err := c.client.Get(ctx, key.name)
	if err != nil {
		return err
	}
	c.check("Get", key.name, item.Value)
	if got := string(item.Value); got != key.stored && !slices.Contains(key.uncertain, got) {
		c.t.Errorf("Get(%q) = %.60q, want %.60q or one of %d that were given up", key.name, got, key.stored, len(key.uncertain))
	}
	return nil
}

// count sorts what came of an operation, and fails the test when it is nothing
// that may happen here.
func (c *soakCaller) count(err error) {
	o := &c.outcomes
	switch {
	case err == nil:
		o.hits.Add(1)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		o.cancelled.Add(1)
	case errors.Is(err, memcached.ErrUnavailable):
		o.unavailable.Add(1)
	case errors.Is(err, memcached.ErrCacheMiss):
		o.misses.Add(1)
	default:
		o.others.Add(1)
		c.t.Errorf("an operation failed with %v", err)
	}
}
