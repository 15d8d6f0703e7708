package middleware

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// storeTimeout bounds a store that goes on after its request has been answered.
const storeTimeout = 10 * time.Second

// variantOf gives e its place: that of the request, or, if the response varies
// on something the index does not list yet, one under a new index, which is
// returned.
func (f *fill) variantOf(e *stored.Entry) *stored.Index {
	if len(f.vary) == 0 && f.index == nil {
		return nil
	}
	if f.index != nil && !slices.ContainsFunc(f.vary, func(name string) bool { return !f.index.Has(name) }) {
		return f.index
	}
	ix := &stored.Index{ID: stored.NewID(), Base: stored.NewID(), Fields: f.vary}
	if f.index != nil {
		ix.Fields = policy.VaryFields(append(slices.Clone(f.index.Fields), f.vary...))
	}
	e.Index = ix.ID
	e.Key = f.cache.keys.of(letterVariant, appendVariant(bytes.Clone(f.page), ix, f.selecting()))
	return ix
}

// selecting is the request header that the handler saw, with the conditions that
// the client sent: what the variant was selected by.
func (f *fill) selecting() map[string][]string { return f.header(f.index) }

// store writes e, which ix leads to, and waits for that as long as the request
// may. What takes longer goes on by itself.
func (f *fill) store(e *stored.Entry, ix *stored.Index) {
	f.stopKeeping()
	done := make(chan struct{})
	began := time.Now()
	ok := f.cache.spawn(f.cache.stores, func() {
		defer close(done)
		defer f.rec.recording.end()
		ctx, cancel := detached(f.original.Context(), storeTimeout)
		defer cancel()
		f.write(ctx, e, ix, began)
	})
	if !ok {
		f.unlock()
		return
	}
	f.storing = true
	left := f.cache.opts.LookupTimeout - f.spent
	if left <= 0 {
		return
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// write stores e and gives the lock back. It runs beside the request and must
// not use it.
func (f *fill) write(ctx context.Context, e *stored.Entry, ix *stored.Index, began time.Time) {
	c := f.cache
	if f.received.Sub(f.called) > longestFill || len(ixFields(ix)) > stored.MaxIndexFields || e.Overhead() > stored.MaxOverhead {
		f.unlockLate(ctx)
		return
	}
	tags, ok, err := f.tags, true, error(nil)
	if !f.tagsRead {
		tags, ok, err = f.readTags(ctx)
	}
	if err == nil && ok {
		tagged := *e // others may be sending e
		tagged.Tags = tags
		err = f.put(ctx, &tagged, ix)
	}
	key := f.name
	switch {
	case err == nil && ok:
		c.event(Event{Kind: EventStored, Key: key, Duration: time.Since(began)})
	case !isAnswer(err):
		c.fault(key, time.Since(began), err)
	}
	if f.lock != nil && (!f.lock.isAt(f.name) || err != nil || !ok) {
		f.unlockLate(ctx)
	}
}

func ixFields(ix *stored.Index) []string {
	if ix == nil {
		return nil
	}
	return ix.Fields
}

// put writes the value of e in the place of what the request found there.
func (f *fill) put(ctx context.Context, e *stored.Entry, ix *stored.Index) error {
	c := f.cache
	if ix == f.index {
		return c.putValue(ctx, f.name, f.version, e, f.verdict.Keep)
	}
	// A new index: first the variant, at a key that nobody knows yet, then the
	// index that leads to it, where the page was found.
	if err := c.putValue(ctx, e.Key, version{}, e, f.verdict.Keep); err != nil {
		return err
	}
	old := f.version
	if f.index != nil {
		old = f.indexVersion
	}
	_, err := c.swap(ctx, f.pageKey, old, ix.Encode(f.pageKey), indexLife)
	if err == nil && f.index != nil && f.lock.isAt(f.name) {
		f.unlockLate(ctx)
	}
	return err
}

// indexLife is how long an index stays without being renewed: longer than
// anything it leads to.
const indexLife = 366 * 24 * time.Hour

// keepMargin is how much longer than needed an entry stays in memcached. Its
// clock has whole seconds, and can advance by two at once: without the margin, a
// response would be gone before its lifetime has ended. The entry itself says how
// long it is fresh.
const keepMargin = 2 * time.Second

// putValue writes e at key in place of old, in chunks if it is too large for an
// item of the server. How large that is it learns from refusals; memcached then
// removes what was at the key, so that the first response in which that happens
// is not stored.
func (c *Cache) putValue(ctx context.Context, key string, old version, e *stored.Entry, keep time.Duration) error {
	ttl := keep + keepMargin
	for {
		limit := c.maxChunk.Load()
		err := c.putWithin(ctx, key, old, e, ttl, limit)
		if !errors.Is(err, memcached.ErrTooLarge) || limit <= max(stored.MinValue, 2*e.Overhead()) {
			return err
		}
		size := min(limit, int64(len(e.Body))+e.Overhead())
		c.maxChunk.CompareAndSwap(limit, max(size/2, stored.MinValue))
	}
}

// putWithin writes e in values of at most limit bytes.
func (c *Cache) putWithin(ctx context.Context, key string, old version, e *stored.Entry, ttl time.Duration, limit int64) error {
	if int64(len(e.Body))+e.Overhead() > limit {
		var err error
		if e, err = c.putChunks(ctx, e, limit, ttl); err != nil {
			return err
		}
	}
	_, err := c.swap(ctx, key, old, e.Encode(), ttl)
	return err
}
