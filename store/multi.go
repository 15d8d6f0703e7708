package store

import (
	"context"
	"errors"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
)

// GetMulti returns the values of those keys that have one, in one pipelined
// round trip per server, and one more for all tags together. When something
// fails it returns what it got, and a *memcached.MultiError by key.
func (s *Store) GetMulti(ctx context.Context, keys []string) (map[string]any, error) {
	values, err := s.getMulti(ctx, keys)
	return values, s.result("get_multi", err)
}

// SetMulti stores values, all with the same options, in one pipelined round
// trip per server. A *memcached.MultiError says which keys failed; any other
// error means that nothing was stored.
func (s *Store) SetMulti(ctx context.Context, values map[string]any, options ...libstore.Option) error {
	return s.result("set_multi", setMulti(ctx, s.base, values, options))
}

// DeleteMulti removes keys in one pipelined round trip per server. Those that
// are not there are no error.
func (b *base) DeleteMulti(ctx context.Context, keys []string) error {
	err := b.space.do(ctx, func(start string) error {
		wire := itemKeys(start, keys)
		return renamed(b.client.DeleteMulti(ctx, wire), wire, keys)
	})
	return b.result("delete_multi", err)
}

func (b *base) getMulti(ctx context.Context, names []string) (map[string]any, error) {
	items, keys, err := b.space.getMulti(ctx, names)
	failed := make(map[string]error)
	if !collect(failed, err, keys, names) {
		return nil, err
	}
	entries := make(map[string]entry, len(items))
	for i, name := range names {
		item := items[keys[i]]
		if item == nil {
			continue
		}
		e, err := b.unpack(item.Value, item.Flags)
		if err != nil {
			failed[name] = err
		} else if !e.dead {
			entries[name] = e
		}
	}
	b.dropInvalid(ctx, entries, failed)
	values := make(map[string]any, len(entries))
	for name, e := range entries {
		value, _, err := b.value(e)
		if err != nil {
			failed[name] = err
		} else {
			values[name] = value
		}
	}
	if len(failed) > 0 {
		return values, &memcached.MultiError{Errors: failed}
	}
	return values, nil
}

// dropInvalid removes the entries whose tags no longer hold, or cannot be
// read.
func (b *base) dropInvalid(ctx context.Context, entries map[string]entry, failed map[string]error) {
	var keys []string
	seen := make(map[string]bool)
	for _, e := range entries {
		for _, t := range e.tags {
			if !seen[t.key] {
				seen[t.key] = true
				keys = append(keys, t.key)
			}
		}
	}
	if len(keys) == 0 {
		return
	}
	counters, err := b.client.GetMulti(ctx, keys)
	for name, e := range entries {
		if standAt(counters, e.tags) {
			continue
		}
		for _, t := range e.tags {
			if cause := keyError(err, t.key); cause != nil {
				failed[name] = cause
			}
		}
		delete(entries, name)
	}
}

func setMulti[T any](ctx context.Context, b *base, values map[string]T, options []libstore.Option) error {
	o, err := b.settings(options)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(values))
	payloads := make([]payload, 0, len(values))
	for name, value := range values {
		p, err := b.encode(value)
		if err != nil {
			return err
		}
		names, payloads = append(names, name), append(payloads, p)
	}
	var tags []tagVersion
	if len(o.Tags) > 0 && o.Expiration >= 0 {
		tags, err = b.tags.versions(ctx, b.tags.keys(o.Tags), o.Expiration, o.TagsTTL)
		if err != nil {
			return err
		}
	}
	items := make([]*memcached.Item, len(names))
	for i := range items {
		items[i] = &memcached.Item{TTL: o.Expiration}
		stow(items[i], payloads[i], tags)
	}
	return b.space.do(ctx, func(start string) error {
		keys := itemKeys(start, names)
		for i, key := range keys {
			items[i].Key = key
		}
		if o.Expiration < 0 {
			return renamed(b.client.DeleteMulti(ctx, keys), keys, names)
		}
		return renamed(b.client.SetMulti(ctx, items), keys, names)
	})
}

// collect moves the errors of err to failed, under the names that the keys
// stand for. It returns false if err is not by key.
func collect(failed map[string]error, err error, keys, names []string) bool {
	if err == nil {
		return true
	}
	var byKey *memcached.MultiError
	if !errors.As(err, &byKey) {
		return false
	}
	for i, key := range keys {
		if cause := byKey.Errors[key]; cause != nil {
			failed[names[i]] = cause
		}
	}
	return true
}

// renamed returns err with the names that the keys stand for.
func renamed(err error, keys, names []string) error {
	failed := make(map[string]error)
	if err == nil || !collect(failed, err, keys, names) || len(failed) == 0 {
		return err
	}
	return &memcached.MultiError{Errors: failed}
}
