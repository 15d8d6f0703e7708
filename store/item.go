package store

import (
	"context"
	"fmt"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
)

// payload is an encoded value and how to read it.
type payload struct {
	form form
	data []byte
}

// unpacked is an item as it was read from a server.
type unpacked struct {
	payload
	left    time.Duration // as GetWithTTL returns it; 0 or less once expired
	tags    []tagVersion
	expired bool // payload and tags are those of open
	invalid bool // a tag was invalidated
}

// none reports whether the item says that there is no value.
func (u *unpacked) none() bool { return u.form.class == classNative && u.form.kind == kindNone }

// absent reports whether the item is no value.
func (u *unpacked) absent() bool { return u.expired || u.invalid || u.none() }

// unpackValid is unpack with a check of the tags, on the server.
func (c *core) unpackValid(ctx context.Context, data []byte, flags uint32) (unpacked, error) {
	u, err := c.unpack(data, flags)
	if err != nil || u.expired || len(u.tags) == 0 {
		return u, err
	}
	valid, err := c.tags.valid(ctx, u.tags)
	u.invalid = !valid
	return u, err
}

// unpack reads the bytes and the flags of an item. It does not check the tags.
func (c *core) unpack(data []byte, flags uint32) (unpacked, error) {
	var now time.Time
	if stamped(flags) { // otherwise the clock need not be asked
		now = time.Now()
	}
	form, left, expires := split(flags, now)
	u := unpacked{payload: payload{form, data}, left: left, expired: expires && left <= 0}
	if u.expired {
		return u, nil
	}
	if form.class == classForeign {
		u.left = c.opts.UnknownTTL
	}
	return u, u.open()
}

// open takes the value out of its envelope. Unpack does so unless the item has
// expired.
func (u *unpacked) open() error {
	if u.form.class != classNative || u.form.kind != kindEnvelope {
		return nil
	}
	envelope, err := parseEnvelope(u.data)
	if err != nil {
		return err
	}
	u.payload = payload{envelope.form, envelope.data}
	u.tags = envelope.tags
	return nil
}

// newItem returns the item of a value, without its key, and the name of the
// key.
func (c *core) newItem(ctx context.Context, key, value any, options []libstore.Option) (name string, item *memcached.Item, err error) {
	name, err = keyString(key)
	if err != nil {
		return "", nil, err
	}
	o, err := c.settings(options)
	if err != nil {
		return "", nil, err
	}
	p, err := c.encode(value)
	if err != nil {
		return "", nil, err
	}
	versions, err := c.tagVersions(ctx, &o)
	if err != nil {
		return "", nil, err
	}
	item = new(memcached.Item)
	fill(item, p, versions, o.Expiration, 0)
	return name, item, nil
}

// tagVersions returns the tags that an item with these options records.
func (c *core) tagVersions(ctx context.Context, o *libstore.Options) ([]tagVersion, error) {
	if len(o.Tags) == 0 || o.Expiration < 0 {
		return nil, nil
	}
	keys := c.tags.keys(o.Tags)
	if len(keys) > maxTags {
		return nil, fmt.Errorf("store: WithTags: %d tags: want %d at most", len(keys), maxTags)
	}
	return c.tags.versions(ctx, keys, o.Expiration, o.TagsTTL)
}

// fill sets the value, the flags and the TTL of an item that is to live for ttl,
// and stays on the server for keep after that. What the flags have no room for
// goes into an envelope.
func fill(item *memcached.Item, p payload, versions []tagVersion, ttl, keep time.Duration) {
	var now time.Time
	if ttl != 0 {
		now = time.Now()
	}
	item.TTL = serverTTL(ttl, keep)
	switch {
	case len(versions) == 0 && p.form.fits():
		item.Value, item.Flags = p.data, p.form.join(now, ttl)
	case len(versions) == 0 && class(p.form.flags>>classShift) == classForeign:
		item.Value, item.Flags = p.data, p.form.flags
		item.TTL = ttl // no stamp ends it
	default:
		e := envelope{p.form, versions, p.data}
		item.Value = e.bytes()
		item.Flags = form{class: classNative, kind: kindEnvelope}.join(now, ttl)
	}
}
