package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// keyspace is where the items of a store are. Without a prefix that is the
// whole server. With one, a counter on the server holds the number of the
// current generation, and all keys start with prefix and number: raising the
// counter puts every item out of reach, for all processes at once.
//
// A process remembers the generation that it saw last. Every operation uses
// that, and asks for the counter in the same round trip; where it has changed
// the operation is repeated in the new generation.
//
// The counter starts at the clock's microseconds, so that one that was evicted
// comes back with a number that was never used.
type keyspace struct {
	client  Client
	prefix  string
	counter string                     // key of the counter; empty without a prefix
	seen    atomic.Pointer[generation] // the highest seen
}

// generation is a number of the counter and what keys start with under it.
type generation struct {
	number uint64
	start  string
}

func newKeyspace(client Client, prefix string) *keyspace {
	k := &keyspace{client: client, prefix: prefix}
	if prefix != "" {
		k.counter = generationKey(prefix)
	}
	return k
}

func (k *keyspace) generation(number uint64) *generation {
	return &generation{number, k.prefix + strconv.FormatUint(number, 36) + ":"}
}

// get returns the value and flags of an item.
func (k *keyspace) get(ctx context.Context, name string) ([]byte, uint32, error) {
	if k.counter == "" {
		return k.client.AppendValue(ctx, nil, itemKey("", name))
	}
	items, keys, err := k.getMulti(ctx, []string{name})
	if err := keyError(err, keys[0]); err != nil {
		return nil, 0, err
	}
	item := items[keys[0]]
	if item == nil {
		return nil, 0, memcached.ErrCacheMiss
	}
	return item.Value, item.Flags, nil
}

// getMulti returns items by key, and the keys of names in their order. The
// error holds what failed by key, or is the same for all.
func (k *keyspace) getMulti(ctx context.Context, names []string) (items map[string]*memcached.Item, keys []string, err error) {
	if k.counter == "" {
		keys = itemKeys("", names)
		items, err = k.client.GetMulti(ctx, keys)
		return items, keys, err
	}
	keys = make([]string, len(names))
	gen, err := k.remembered(ctx)
	if err != nil {
		return nil, keys, err
	}
	for range 2 {
		keys = itemKeys(gen.start, names)
		items, err = k.client.GetMulti(ctx, append(keys[:len(keys):len(keys)], k.counter))
		if failed := keyError(err, k.counter); failed != nil {
			return nil, keys, failed
		}
		now, failed := k.advance(ctx, items[k.counter], gen)
		if failed != nil {
			return nil, keys, failed
		}
		delete(items, k.counter)
		if now.number == gen.number {
			return items, keys, err
		}
		gen = now
	}
	return nil, keys, nil // cleared meanwhile
}

// do runs op with what keys start with. If another process has begun a new
// generation, op has run in the old one, where it does no harm, and runs again.
func (k *keyspace) do(ctx context.Context, op func(start string) error) error {
	if k.counter == "" {
		return op("")
	}
	gen := k.seen.Load()
	if gen == nil {
		gen, err := k.current(ctx, nil)
		if err != nil {
			return err
		}
		return op(gen.start)
	}
	type answer struct {
		gen *generation
		err error
	}
	asked := make(chan answer, 1)
	go func() {
		now, err := k.current(ctx, gen)
		asked <- answer{now, err}
	}()
	err := op(gen.start)
	now := <-asked
	if now.err != nil {
		return now.err
	}
	if now.gen.number != gen.number {
		return op(now.gen.start)
	}
	return err
}

// clear begins a new generation.
func (k *keyspace) clear(ctx context.Context) error {
	if k.counter == "" {
		return k.client.FlushAll(ctx, 0)
	}
	before := k.seen.Load()
	number, err := k.client.IncrementOrSet(ctx, k.counter, 1, microseconds(), 0)
	if uncertain(err) {
		// One generation more does no harm.
		number, err = k.client.IncrementOrSet(ctx, k.counter, 1, microseconds(), 0)
	}
	if err != nil {
		return err
	}
	_, err = k.raise(ctx, number, before)
	return err
}

func (k *keyspace) remembered(ctx context.Context) (*generation, error) {
	if gen := k.seen.Load(); gen != nil {
		return gen, nil
	}
	return k.current(ctx, nil)
}

// current asks for the generation. before is what the caller remembered when
// it began.
func (k *keyspace) current(ctx context.Context, before *generation) (*generation, error) {
	item, err := k.client.Get(ctx, k.counter)
	if err != nil && !errors.Is(err, memcached.ErrCacheMiss) {
		return nil, err
	}
	return k.advance(ctx, item, before)
}

// advance returns the generation that the counter says, item being nil when
// there is none.
func (k *keyspace) advance(ctx context.Context, item *memcached.Item, before *generation) (*generation, error) {
	if item == nil {
		number, err := k.client.IncrementOrSet(ctx, k.counter, 0, microseconds(), 0)
		if err != nil {
			return nil, err
		}
		return k.remember(number), nil
	}
	number, err := parseCounter(item.Value)
	if err != nil {
		return nil, err
	}
	return k.raise(ctx, number, before)
}

// raise returns the generation of that number. One below before can only come
// from a server that was away and returned with an old state: it is raised,
// because the items of generations that are over are still there.
func (k *keyspace) raise(ctx context.Context, number uint64, before *generation) (*generation, error) {
	if before != nil && number < before.number {
		var err error
		number, err = k.client.Increment(ctx, k.counter, before.number-number+1)
		if err != nil {
			return nil, err
		}
	}
	return k.remember(number), nil
}

// remember keeps the highest number and returns the generation of this one.
func (k *keyspace) remember(number uint64) *generation {
	gen := k.seen.Load()
	if gen != nil && gen.number == number {
		return gen
	}
	fresh := k.generation(number)
	for gen == nil || gen.number < number {
		if k.seen.CompareAndSwap(gen, fresh) {
			break
		}
		gen = k.seen.Load()
	}
	return fresh
}

// microseconds is where counters start: above whatever a counter of the same
// key has counted before.
func microseconds() uint64 { return uint64(time.Now().UnixMicro()) }

func parseCounter(value []byte) (uint64, error) {
	n, err := strconv.ParseUint(number(value), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: not a counter", ErrCorrupt)
	}
	return n, nil
}

func itemKeys(start string, names []string) []string {
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = itemKey(start, name)
	}
	return keys
}

// anyError returns one of the errors of a MultiError, and others as they are.
func anyError(err error) error {
	var byKey *memcached.MultiError
	if errors.As(err, &byKey) && len(byKey.Errors) > 0 {
		return byKey.Errors[slices.Min(slices.Collect(maps.Keys(byKey.Errors)))]
	}
	return err
}

// keyError returns the part of err that is about key.
func keyError(err error, key string) error {
	var byKey *memcached.MultiError
	if errors.As(err, &byKey) {
		return byKey.Errors[key]
	}
	return err
}
