package middleware

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// Purge makes everything that is stored for the URL of r unusable: all variants, of
// every scheme, in every process. It looks at the Host and the URL of r, and at what
// Options.Key looks at. A response that is being made while Purge runs will not be
// stored. After an error memcached could not be told, and the page may still be
// served.
func (c *Cache) Purge(ctx context.Context, r *http.Request) error {
	keys, ok := c.pageKeys(r)
	if !ok {
		return nil
	}
	return c.deleteAll(ctx, keys)
}

// PurgeTags makes every stored response unusable that names one of tags in its
// Cache-Tag or Surrogate-Key field, in every process. Its cost does not depend on
// how many responses there are. A response that is being made while PurgeTags runs
// will not be used. After an error memcached could not be told of all tags, and
// pages that name them may still be served.
func (c *Cache) PurgeTags(ctx context.Context, tags ...string) error {
	if len(tags) == 0 {
		return nil
	}
	purges, err := c.client.IncrementOrSet(ctx, c.keys.purges(), 1, c.firstPurge(), 0)
	if err != nil {
		return err
	}
	var items []*memcached.Item
	for _, n := range stored.UniqueTags(tags) {
		items = append(items, &memcached.Item{Key: c.keys.tag(n), Value: stored.Mark(stored.KindTag, purges)})
	}
	return c.client.SetMulti(ctx, items)
}

// pageKeys returns the keys under which the page of r may be stored.
func (c *Cache) pageKeys(r *http.Request) ([]string, bool) {
	if r.Host == "" && r.URL.Host != "" {
		clone := *r
		clone.Host = r.URL.Host
		r = &clone
	}
	keys := make([]string, 0, len(origins))
	for _, o := range origins {
		full, ok := c.appendRequestKey(nil, r, o)
		if !ok {
			return nil, false
		}
		keys = append(keys, c.keys.of(letterPage, full))
	}
	return keys, true
}

// deleteAll deletes keys; those that are not there are no error.
func (c *Cache) deleteAll(ctx context.Context, keys []string) error {
	err := c.client.DeleteMulti(ctx, keys)
	if multi := (*memcached.MultiError)(nil); errors.As(err, &multi) {
		for _, e := range multi.Errors {
			if !isAnswer(e) {
				return err
			}
		}
		return nil
	}
	if isAnswer(err) {
		return nil
	}
	return err
}

// invalidate is what a successful unsafe request does to the stored responses of
// its URL and of those that Location and Content-Location name on the same host
// (RFC 9111, section 4.4).
func (c *Cache) invalidate(r *http.Request, header http.Header) {
	keys, _ := c.pageKeys(r)
	for _, name := range []string{"Location", "Content-Location"} {
		if target := sameHost(r, header.Get(name)); target != nil {
			more, _ := c.pageKeys(target)
			keys = append(keys, more...)
		}
	}
	if len(keys) == 0 {
		return
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	ctx, cancel := detached(r.Context(), c.opts.LookupTimeout)
	defer cancel()
	began := time.Now()
	if err := c.deleteAll(ctx, keys); err != nil {
		c.fault(keys[0], time.Since(began), err)
		return
	}
	c.event(Event{Kind: EventInvalidated, Key: keys[0], Duration: time.Since(began)})
}

// sameHost returns a request for a reference of a response to r, if it leads to
// the same host.
func sameHost(r *http.Request, reference string) *http.Request {
	if reference == "" {
		return nil
	}
	base := *r.URL
	base.Scheme, base.Host = "http", r.Host
	target, err := base.Parse(reference)
	if err != nil || !sameAuthority(target, r.Host) {
		return nil
	}
	return &http.Request{Method: http.MethodGet, Host: r.Host, URL: target, Header: r.Header}
}

func sameAuthority(u *url.URL, host string) bool {
	return u.Host == host || u.Hostname() == hostname(host)
}

func hostname(host string) string { return (&url.URL{Host: host}).Hostname() }
