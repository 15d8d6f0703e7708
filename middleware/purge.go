package middleware

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bmemcached/bmemcached-go/binary"
)

// Purge makes everything that is stored for the URL of r unusable: all variants, of
// every scheme, with and without the port that the scheme implies, in every process.
// It looks at the Host and the URL of r, and at what Options.Key looks at. The URL is
// what clients ask for, with escapes or without, also where http.StripPrefix takes a
// part of it away before the cache. A response that is being made while Purge runs will
// not be stored. After an error memcached could not be told, and the page may still be
// served. A request without a host is an error; one that Options.Key declines has no
// page to purge. Pages with other queries are other pages: tags purge them together.
func (c *Cache) Purge(ctx context.Context, r *http.Request) error {
	keys, err := c.pageKeys(r)
	if err != nil {
		return err
	}
	return c.purgePage(EventPurged, keys, func() (int, error) { return 0, c.deleteAll(ctx, keys) })
}

// PurgeTags makes every stored response unusable that names one of tags in its
// Cache-Tag or Surrogate-Key field, in every process. Its cost does not depend on
// how many responses there are. A response that is being made while PurgeTags runs
// will not be used. After an error memcached could not be told of all tags, and
// pages that name them may still be served. What no response can name, such as two
// tags in one, is an error.
func (c *Cache) PurgeTags(ctx context.Context, tags ...string) error {
	if err := validTags(tags); err != nil {
		return err
	}
	return c.purgeTags(ctx, EventPurged, ScopeTags, tags...)
}

// hostOf returns the host of a request that says what to purge: one that came through a
// server, or was made for this.
func hostOf(r *http.Request) (string, error) {
	if r == nil || r.URL == nil { // as of a NewRequest that failed
		return "", errors.New("middleware: the request that says what to purge has no URL")
	}
	host := cmp.Or(r.Host, r.URL.Host)
	switch {
	case host == "":
		return "", errors.New("middleware: the request that says what to purge has no host")
	case strings.ContainsFunc(host, func(c rune) bool { return c >= utf8.RuneSelf }):
		return "", fmt.Errorf("middleware: the request that says what to purge has the host %q: want it as clients send it, as xn--…", host)
	default:
		return host, nil
	}
}

// longestSplit bounds the places at which a path is taken to be mounted.
const longestSplit = 32

// pageKeys returns the keys under which the page of r may be stored: for every scheme,
// for the host with and without the ports that schemes imply, and in every spelling. A
// request that did not come through a server may be for a handler that is mounted at
// any part of its path.
func (c *Cache) pageKeys(r *http.Request) ([]string, error) {
	host, err := hostOf(r)
	if err != nil {
		return nil, err
	}
	p, ok := c.pageOf(r)
	if !ok {
		return nil, nil
	}
	var keys []string
	for _, s := range spellings(r.URL, p.query) {
		p.path, p.query = s.path, s.query
		for _, mounted := range p.mounts(r.RequestURI == "") {
			keys = append(keys, c.keysOf(mounted, host)...)
		}
	}
	return keys, nil
}

// keysOf returns the keys of p for every scheme, on host.
func (c *Cache) keysOf(p page, host string) (keys []string) {
	var full []byte
	for _, p.origin = range origins {
		for _, p.host = range hostsOf(host, p.origin) {
			full = p.append(full[:0])
			keys = append(keys, c.keys.all(letterPage, full)...)
		}
	}
	return keys
}

// mounts returns p as it is, and if any is true as it is for handlers that are mounted
// at the beginnings of its path.
func (p page) mounts(any bool) []page {
	all := []page{p}
	if !any {
		return all
	}
	for i := 1; i < len(p.path) && len(all) < longestSplit; i++ {
		if p.path[i] == '/' {
			mounted := p
			mounted.mount, mounted.path = p.path[:i], p.path[i:]
			all = append(all, mounted)
		}
	}
	return all
}

// hostsOf returns what a host with an implied port, or none, is in the keys of an
// origin: without, or with the port of the other scheme, which a proxy may have.
func hostsOf(host string, o origin) []string {
	plain := plainHost(host, o)
	bare := plain
	for _, port := range []string{":80", ":443"} {
		bare = strings.TrimSuffix(bare, port)
	}
	if bare == plain && strings.LastIndexByte(bare, ':') > strings.LastIndexByte(bare, ']') {
		return []string{plain} // a port of its own
	}
	if o.port() == ":80" {
		return []string{bare, bare + ":443"}
	}
	return []string{bare, bare + ":80"}
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
func (c *Cache) invalidate(r *http.Request, header http.Header) (ok bool) {
	keys := c.invalidated(r, header)
	if len(keys) == 0 {
		return true
	}
	began := time.Now()
	if err := c.deleteDetached(r, keys); err != nil {
		c.fault(keys[0], time.Since(began), err)
		return false
	}
	c.event(Event{Kind: EventInvalidated, Key: keys[0], Duration: time.Since(began)})
	return true
}

// invalidateLater is invalidate again, when the handler has returned, and when its
// request has ended: what changes may be committed after the response, and requests
// before that store once more what it replaces. now is false if the handler's return
// is not worth another wait, because memcached has just failed.
func (c *Cache) invalidateLater(r *http.Request, header http.Header, now bool) {
	keys := c.invalidated(r, header)
	if len(keys) == 0 {
		return
	}
	if now {
		if err := c.deleteDetached(r, keys); err != nil {
			c.fault(keys[0], 0, err)
		}
	}
	context.AfterFunc(r.Context(), func() {
		c.spawn(nil, func() {
			if err := c.deleteDetached(r, keys); err != nil {
				c.fault(keys[0], 0, err)
			}
		})
	})
}

// deleteDetached is deleteAll in the time that a request has for it.
func (c *Cache) deleteDetached(r *http.Request, keys []string) error {
	ctx, cancel := detached(r.Context(), c.opts.LookupTimeout)
	defer cancel()
	return c.deleteAll(ctx, keys)
}

// invalidated returns the keys of what a successful unsafe request invalidates.
func (c *Cache) invalidated(r *http.Request, header http.Header) []string {
	keys, _ := c.pageKeys(r)
	for _, name := range []string{"Location", "Content-Location"} {
		if target := sameHost(r, header.Get(name)); target != nil {
			more, _ := c.pageKeys(target)
			keys = append(keys, more...)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
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
	to := &http.Request{Method: http.MethodGet, Host: r.Host, URL: target, Header: r.Header}
	if mount := mountOf(r); mount != "" && strings.HasPrefix(target.Path, mount+"/") {
		to.RequestURI = target.RequestURI()
		target.Path, target.RawPath = target.Path[len(mount):], ""
	}
	return to
}

func sameAuthority(u *url.URL, host string) bool {
	return u.Host == host || u.Hostname() == hostname(host)
}

func hostname(host string) string { return (&url.URL{Host: host}).Hostname() }
