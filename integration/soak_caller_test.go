package integration_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

const (
	soakCallers = 64
	soakShared  = 256 // keys that all callers read and write
	soakOwned   = 8   // keys that one caller has for itself
)

// soakCaller is one of the callers. Beside the shared keys it has keys of its
// own, of which it knows what they may hold.
type soakCaller struct {
	*soak
	id     int
	random *rand.Rand
	writes int
	owned  [soakOwned]ownedKey
	watch  *ownedKey // written again after a write of it failed: the one to look at
	dst    []byte
}

// ownedKey is what the only writer of a key knows of it: the last value that is
// known to have been stored, and those after it that may or may not have been,
// or may still be, because the operation failed. What was written before the
// last value must not come back.
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
	for time.Now().Before(c.end) && !c.t.Failed() {
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
	case n < 95 && c.watch != nil:
		return c.getOwned(ctx, c.watch)
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
		key.stored, key.uncertain = value, nil
	}
	if err != nil && key != c.watch {
		c.watch = key
		return errors.Join(err, c.setOwned(context.Background(), key))
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
		time.Sleep(100 * time.Microsecond) // it may have failed at once: leave the processor to others
	case errors.Is(err, memcached.ErrCacheMiss):
		o.misses.Add(1)
	default:
		o.others.Add(1)
		c.t.Errorf("an operation failed with %v", err)
	}
}

// readAll reads the caller's own keys when all is quiet again.
func (c *soakCaller) readAll() {
	for i := range c.owned {
		eventually(c.t, func() error {
			if err := c.getOwned(c.t.Context(), &c.owned[i]); err != memcached.ErrCacheMiss {
				return err
			}
			return nil
		})
	}
}
