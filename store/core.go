package store

import (
	"cmp"
	"context"
	"errors"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
)

// core is what Store and Typed have in common: everything but the types of the
// values.
type core struct {
	client   Client
	opts     Options
	defaults libstore.Options
	space    *keyspace
	tags     tags
	encode   func(v any) (payload, error)
	decode   func(p payload) (any, error)
	closer   closer
	loads    loads // of a Typed
	locks    bool  // Delete marks the locks of loads
}

// maxAttempts is how often an operation tries to change an item that others
// change at the same time.
const maxAttempts = 16

func newCore(client Client, opts *Options, options []libstore.Option) (*core, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	defaults, err := applyOptions(libstore.Options{}, options)
	if err != nil {
		return nil, err
	}
	return &core{
		client:   client,
		opts:     o,
		defaults: defaults,
		space:    newKeyspace(client, o.Prefix),
		tags:     tags{client, o.Prefix},
	}, nil
}

// settings returns the defaults changed by options.
func (c *core) settings(options []libstore.Option) (libstore.Options, error) {
	if len(options) == 0 {
		return c.defaults, nil
	}
	return applyOptions(c.defaults, options)
}

// result returns the error that an operation returns for err: gocache's miss,
// the context's error by itself, or the fault, of which it informs OnError.
func (c *core) result(op string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, memcached.ErrCacheMiss) {
		return errNotFound
	}
	for _, ended := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, ended) {
			err = ended
		}
	}
	if c.opts.OnError != nil {
		c.opts.OnError(op, err)
	}
	return err
}

func (c *core) get(ctx context.Context, key any) (any, time.Duration, error) {
	value, ttl, err := c.lookup(ctx, key)
	return value, ttl, c.result("get", err)
}

// lookup reads an item, checks its tags and decodes its value.
func (c *core) lookup(ctx context.Context, key any) (any, time.Duration, error) {
	name, err := keyString(key)
	if err != nil {
		return nil, 0, err
	}
	data, flags, err := c.space.get(ctx, name)
	if err != nil {
		return nil, 0, err
	}
	u, err := c.unpackValid(ctx, data, flags)
	if err != nil {
		return nil, 0, err
	}
	if u.absent() {
		return nil, 0, memcached.ErrCacheMiss
	}
	value, err := c.decode(u.payload)
	if err != nil {
		return nil, 0, err
	}
	return value, u.left, nil
}

func (c *core) set(ctx context.Context, key, value any, options []libstore.Option) error {
	name, item, err := c.newItem(ctx, key, value, options)
	if err == nil {
		err = c.space.inGeneration(ctx, func(prefix string) error {
			item.Key = itemKey(prefix, name)
			if item.TTL < 0 {
				return c.remove(ctx, prefix, name)
			}
			return c.client.Set(ctx, item)
		})
	}
	return c.result("set", err)
}

func (c *core) delete(ctx context.Context, key any) error {
	name, err := keyString(key)
	if err == nil {
		err = c.space.inGeneration(ctx, func(prefix string) error {
			return c.remove(ctx, prefix, name)
		})
	}
	return c.result("delete", err)
}

// remove deletes the item of a name, which need not exist, after it has marked the
// lock of its load: a load that stores after the item is deleted has to find the
// mark.
func (c *core) remove(ctx context.Context, prefix, name string) error {
	var lockErr error
	if c.locks {
		lockErr = c.mark(ctx, c.lockKey(name))
	}
	return cmp.Or(ignoreMiss(c.client.Delete(ctx, itemKey(prefix, name))), lockErr)
}

func (c *core) invalidate(ctx context.Context, options []libstore.InvalidateOption) error {
	return c.result("invalidate", c.tags.invalidate(ctx, tagsOf(options)))
}

func (c *core) clear(ctx context.Context) error {
	return c.result("clear", c.space.clear(ctx))
}
