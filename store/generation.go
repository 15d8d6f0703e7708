package store

import (
	"context"
	"errors"
	"strconv"

	"github.com/bmemcached/bmemcached-go/binary"
)

// generation is a number of the keyspace's counter, and the prefix of the keys
// under it.
type generation struct {
	number uint64
	prefix string
}

func (k *keyspace) generation(number uint64) *generation {
	return &generation{number, k.prefix + strconv.FormatUint(number, 36) + ":"}
}

// remembered returns the generation that was seen last, and asks the server if
// there is none.
func (k *keyspace) remembered(ctx context.Context) (*generation, error) {
	if gen := k.seen.Load(); gen != nil {
		return gen, nil
	}
	return k.current(ctx, nil)
}

// now returns the current generation, which has no number without a prefix.
func (k *keyspace) now(ctx context.Context) (*generation, error) {
	if k.counter == "" {
		return new(generation), nil
	}
	return k.current(ctx, k.seen.Load())
}

// has reports whether gen is still the generation, which is in items.
func (k *keyspace) has(gen *generation, items map[string]*memcached.Item) bool {
	if k.counter == "" {
		return true
	}
	counter := items[k.counter]
	if counter == nil {
		return false
	}
	number, err := parseCount(counter.Value)
	return err == nil && number == gen.number
}

// current asks the server for the generation. before is what the caller
// remembered when it began.
func (k *keyspace) current(ctx context.Context, before *generation) (*generation, error) {
	item, err := k.client.Get(ctx, k.counter)
	if err != nil && !errors.Is(err, memcached.ErrCacheMiss) {
		return nil, err
	}
	return k.advance(ctx, item, before)
}

// advance returns the generation that the counter's item holds. It creates the
// counter if item is nil.
func (k *keyspace) advance(ctx context.Context, item *memcached.Item, before *generation) (*generation, error) {
	if item == nil {
		number, err := k.client.IncrementOrSet(ctx, k.counter, 0, firstCount(), 0)
		if err != nil {
			return nil, err
		}
		return k.remember(number), nil
	}
	number, err := parseCount(item.Value)
	if err != nil {
		return nil, err
	}
	return k.raise(ctx, number, before)
}

// raise returns the generation of a number. A number below before comes from a
// server that returned with an old state. The counter is then raised above
// before, because items of the generations between may still be there.
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

// remember returns the generation of a number, and keeps it if it is the
// highest.
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
