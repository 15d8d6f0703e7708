package store

import (
	"context"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
)

// payload is an encoded value and how to read it.
type payload struct {
	form form
	data []byte
}

// entry is an item of the server, taken apart.
type entry struct {
	payload
	left time.Duration // as GetWithTTL answers
	tags []tagVersion
	dead bool // expired or invalidated
}

// open takes an item apart and looks whether its tags still hold.
func (b *base) open(ctx context.Context, data []byte, flags uint32) (entry, error) {
	e, err := b.unpack(data, flags)
	if err != nil || e.dead || len(e.tags) == 0 {
		return e, err
	}
	holds, err := b.tags.hold(ctx, e.tags)
	e.dead = !holds
	return e, err
}

// unpack is open without looking at the tags.
func (b *base) unpack(data []byte, flags uint32) (entry, error) {
	var now time.Time
	if stamped(flags) { // otherwise the time does not matter, and costs some
		now = time.Now()
	}
	form, left, expires := split(flags, now)
	e := entry{payload: payload{form, data}, left: left, dead: expires && left <= 0}
	switch {
	case e.dead:
	case form.class == classForeign:
		e.left = b.opts.UnknownTTL
	case form.class == classNative && form.kind == kindEnvelope:
		envelope, err := unseal(data)
		if err != nil {
			return e, err
		}
		e.payload = payload{envelope.form, envelope.data}
		e.tags = envelope.tags
	}
	return e, nil
}

// pack makes an item of a value. Its key is the caller's business.
func (b *base) pack(ctx context.Context, p payload, o *libstore.Options) (*memcached.Item, error) {
	item := &memcached.Item{TTL: o.Expiration}
	var tags []tagVersion
	if len(o.Tags) > 0 && o.Expiration >= 0 {
		var err error
		tags, err = b.tags.versions(ctx, b.tags.keys(o.Tags), o.Expiration, o.TagsTTL)
		if err != nil {
			return nil, err
		}
	}
	stow(item, p, tags)
	return item, nil
}

// stow fills in the value and flags of an item whose TTL is set: in an
// envelope where the flags do not suffice.
func stow(item *memcached.Item, p payload, tags []tagVersion) {
	var now time.Time
	if item.TTL != 0 {
		now = time.Now()
	}
	switch {
	case len(tags) == 0 && p.form.fits():
		item.Value, item.Flags = p.data, p.form.join(now, item.TTL)
	case len(tags) == 0 && class(p.form.flags>>classShift) == classForeign:
		item.Value, item.Flags = p.data, p.form.flags
	default:
		sealed := envelope{p.form, tags, p.data}
		item.Value = sealed.seal()
		item.Flags = form{class: classNative, kind: kindEnvelope}.join(now, item.TTL)
	}
}
