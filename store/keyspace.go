package store

import (
	"context"
	"sync/atomic"

	"github.com/bmemcached/bmemcached-go/binary"
)

// keyspace is where the items of a store are. Without Options.Prefix that is
// the whole server. With one, a counter on the server holds the number of the
// current generation, and the keys of all items begin with prefix and number.
// Raising the counter puts every item out of reach, for all processes at once.
//
// A process remembers the generation that it saw last. Every operation uses
// that one and reads the counter in the same round trip. If the counter has
// changed, the operation is repeated in the new generation.
type keyspace struct {
	client  Client
	prefix  string
	counter string                     // key of the counter; "" without a prefix
	seen    atomic.Pointer[generation] // the highest seen
}

func newKeyspace(client Client, prefix string) *keyspace {
	k := &keyspace{client: client, prefix: prefix}
	if prefix != "" {
		k.counter = generationKey(prefix)
	}
	return k
}

// get returns the value and the flags of an item.
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
// error is by key, or one for all.
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
		keys = itemKeys(gen.prefix, names)
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
	return nil, keys, nil // cleared again meanwhile
}

// inGeneration runs op with the prefix of the current generation. If another
// process has begun a new generation, op has run in the old one, where it does
// no harm, and runs again.
func (k *keyspace) inGeneration(ctx context.Context, op func(prefix string) error) error {
	if k.counter == "" {
		return op("")
	}
	gen := k.seen.Load()
	if gen == nil {
		gen, err := k.current(ctx, nil)
		if err != nil {
			return err
		}
		return op(gen.prefix)
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
	err := op(gen.prefix)
	now := <-asked
	if now.err != nil {
		return now.err
	}
	if now.gen.number != gen.number {
		return op(now.gen.prefix)
	}
	return err
}

// clear begins a new generation. Without a prefix it flushes the servers.
func (k *keyspace) clear(ctx context.Context) error {
	if k.counter == "" {
		return k.client.FlushAll(ctx, 0)
	}
	before := k.seen.Load()
	number, err := k.client.IncrementOrSet(ctx, k.counter, 1, firstCount(), 0)
	if uncertain(err) {
		// One generation more does no harm.
		number, err = k.client.IncrementOrSet(ctx, k.counter, 1, firstCount(), 0)
	}
	if err != nil {
		return err
	}
	_, err = k.raise(ctx, number, before)
	return err
}
