package middleware

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
)

// Handler returns the middleware. Use it on a router, a group or a route: after
// middleware that must see every request (logging, authentication, CORS), and
// before the handlers whose responses are to be stored.
func (c *Cache) Handler() gin.HandlerFunc { return c.handle }

func (c *Cache) handle(g *gin.Context) {
	r := g.Request
	start := c.now()
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		c.otherMethod(g, start)
		return
	case mustBypass(r) || sessionTouched(g, r):
		c.bypass(g, fwdBypass, start)
		return
	}
	directives := policy.ParseRequest(r.Header)
	if directives.NoStore {
		c.bypass(g, fwdRequest, start)
		return
	}
	f := c.newFast(g, directives, start)
	defer f.recycle()
	var ok bool
	if f.full, ok = c.appendRequestKey(f.full, r, originOf(r)); !ok {
		c.bypass(g, fwdBypass, start)
		return
	}
	f.name = c.keys.of(letterPage, f.full)
	if m := markerOf(r, c); m != nil {
		c.exchange(f).refresh(m)
		return
	}
	served, found := f.serve()
	switch {
	case served:
	case isInside(r, f.name):
		g.Next()
	default:
		x := c.exchange(f)
		x.spent = c.now().Sub(start)
		x.run(found)
	}
}

// mustBypass reports whether a cache neither answers a request nor learns from it:
// it switches protocols, its meaning may be in its body, it has a condition
// that only the origin may evaluate, or a URL that is no path.
func mustBypass(r *http.Request) bool {
	return r.ContentLength != 0 || len(r.Header["Upgrade"]) > 0 || policy.HasPrecondition(r.Header) || r.URL.Opaque != ""
}

// bypass runs the handler and keeps out of its way.
func (c *Cache) bypass(g *gin.Context, why forward, start time.Time) {
	addStatus(g.Writer.Header(), forwardStatus{why: why}.String())
	g.Next()
	c.event(Event{Kind: EventBypass, Duration: c.now().Sub(start)})
}

// otherMethod runs the handler of a request that is neither GET nor HEAD. When an
// unsafe one succeeds, what is stored for its URL is not valid any more.
func (c *Cache) otherMethod(g *gin.Context, start time.Time) {
	if safeMethod(g.Request.Method) {
		c.bypass(g, fwdMethod, start)
		return
	}
	below := g.Writer
	rec := newRecorder(below, 0)
	request := g.Request
	rec.stream = func() {}
	rec.commit = func(status int, header http.Header) action {
		if status >= 200 && status < 400 {
			c.invalidate(request, header)
		}
		addStatus(header, forwardStatus{why: fwdMethod}.String())
		return action{pass: true}
	}
	g.Writer = rec
	defer func() { g.Writer = below }()
	g.Next()
	if !rec.committed {
		rec.settle() // gin answers for a handler that wrote nothing
	}
	c.event(Event{Kind: EventBypass, Duration: c.now().Sub(start)})
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

// sessionKey is what package session sets, in gin's context or the request's,
// when a handler touches a session.
const sessionKey = "github.com/bmemcached/bmemcached-go/session.touched"

func sessionTouched(g *gin.Context, requests ...*http.Request) bool {
	if g.GetBool(sessionKey) {
		return true
	}
	for _, r := range requests {
		if touched, _ := r.Context().Value(sessionKey).(bool); touched {
			return true
		}
	}
	return false
}
