package middleware

import (
	"net/http"
	"time"

	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
)

// handle answers a request, if the cache can, or has the handler answer it.
func (c *Cache) handle(v visit) {
	r := v.request()
	start := c.now()
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		c.otherMethod(v, start)
		return
	case mustBypass(r) || c.sessionTouched(v, r) || c.personal(r):
		c.bypass(v, forwardStatus{why: fwdBypass}, start)
		return
	case c.setsCookie(v.writer().Header()["Set-Cookie"]):
		c.bypass(v, forwardStatus{why: fwdBypass, detail: "set-cookie"}, start)
		return
	}
	directives := c.directives(r)
	if directives.NoStore {
		c.bypass(v, forwardStatus{why: fwdRequest}, start)
		return
	}
	f := c.newFast(v, directives, start)
	defer f.recycle()
	p, ok := c.pageOf(r)
	if !ok {
		c.bypass(v, forwardStatus{why: fwdBypass}, start)
		return
	}
	f.full, f.host, f.query = p.append(f.full), p.host, p.query
	f.name = c.keys.of(letterPage, f.full)
	if e := errandOf(r, c); e != nil && e.page == f.name {
		c.exchange(f).refresh(e)
		return
	}
	served, found := f.serve()
	switch {
	case served:
	case isInside(r, f.name):
		v.pass()
	default:
		x := c.exchange(f)
		x.spent = c.now().Sub(start)
		defer func() { c.bodies.leave(x.body) }()
		x.run(found)
	}
}

// directives returns what a request says to caches.
func (c *Cache) directives(r *http.Request) policy.Directives {
	if c.opts.IgnoreRequestDirectives {
		return policy.ParseRequest(nil)
	}
	return policy.ParseRequest(r.Header)
}

// mustBypass reports whether a cache neither answers a request nor learns from it:
// it switches protocols, its meaning may be in its body, it has a condition
// that only the origin may evaluate, a URL that is no path, or fields that some see
// and others do not.
func mustBypass(r *http.Request) bool {
	return r.ContentLength != 0 || len(r.Header["Upgrade"]) > 0 || policy.HasPrecondition(r.Header) ||
		r.URL.Opaque != "" || policy.HidesFields(r.Header)
}

// bypass runs the handler and keeps out of its way.
func (c *Cache) bypass(v visit, why forwardStatus, start time.Time) {
	if e := errandOf(v.request(), c); e != nil {
		e.done.Store(true)
		v.stop() // there is no client
		return
	}
	addStatus(v.writer().Header(), why.String())
	defer c.bypassed(start) // also when the handler panics
	v.pass()
}

// bypassed tells of a request that has bypassed the cache.
func (c *Cache) bypassed(start time.Time) {
	c.event(Event{Kind: EventBypass, Duration: c.now().Sub(start)})
}

// otherMethod runs the handler of a request that is neither GET nor HEAD. When an
// unsafe one succeeds, what is stored for its URL is not valid any more.
func (c *Cache) otherMethod(v visit, start time.Time) {
	request := v.request()
	if safeMethod(request.Method) {
		c.bypass(v, forwardStatus{why: fwdMethod}, start)
		return
	}
	came := request.Clone(request.Context()) // layers below may rewrite the request in place
	rec := newRecorder(v.writer(), 0, &c.recordings)
	rec.ctx = request.Context()
	rec.stream = func() {}
	var succeeded, reached bool
	var locations http.Header
	rec.commit = func(status int, header http.Header) action {
		if succeeded = status >= 200 && status < 400; succeeded {
			locations = header
			reached = c.invalidate(came, header)
		}
		return action{pass: true, hide: c.opts.HideTags, line: forwardStatus{why: fwdMethod}.String()}
	}
	defer func() { // also when the handler panics
		if succeeded {
			c.invalidateLater(came, locations, reached)
		}
		c.bypassed(start)
	}()
	v.run(rec, request, true)
}

// safeMethod reports whether a method is registered as safe (IANA HTTP Method
// Registry). An unknown one may change anything (RFC 9111, section 4.4).
func safeMethod(method string) bool {
	switch method {
	case http.MethodOptions, http.MethodTrace, "PROPFIND", "REPORT", "SEARCH", "QUERY", "PRI":
		return true
	}
	return false
}
