package middleware

import (
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
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

// unkeyedFields are request fields that commonly decide what a handler answers but
// are not part of the key. Whoever can set them could poison the cache.
var unkeyedFields = []string{
	"Forwarded", "X-Forwarded-Host", "X-Forwarded-Server", "X-Forwarded-Port",
	"X-Forwarded-Prefix", "X-Forwarded-Path", "X-Forwarded-Uri",
	"X-Forwarded-Scheme", "X-Forwarded-Protocol", "X-Forwarded-Ssl", "X-Scheme", "X-Url-Scheme", "Front-End-Https",
	"X-Host", "X-Original-Host", "X-Original-Url", "X-Original-Uri", "X-Rewrite-Url",
	"X-Http-Host-Override", "X-Http-Method", "X-Http-Method-Override", "X-Method-Override",
}

// sanitize returns h without unkeyedFields, except those that the response is
// known to vary on, and with X-Forwarded-Proto as it is in the key. It copies h
// if it changes anything.
func sanitize(h http.Header, ix *stored.Index) http.Header {
	copied := false
	remove := func(name string) {
		if !copied {
			h, copied = h.Clone(), true
		}
		delete(h, name)
	}
	for _, name := range unkeyedFields {
		if _, ok := h[name]; ok && !ix.Has(name) {
			remove(name)
		}
	}
	if lines, ok := h["X-Forwarded-Proto"]; ok {
		if proto := forwardedProto(h); len(lines) != 1 || lines[0] != proto {
			remove("X-Forwarded-Proto")
			if proto != "" {
				h["X-Forwarded-Proto"] = []string{proto}
			}
		}
	}
	return h
}

// plainChoices returns h with Accept-Encoding and Accept-Language in the form by
// which variants are told apart. A handler that looks for the name of a coding
// only, and overlooks that it is refused, or takes the first language that it
// knows, would otherwise make a response that is wrong for others.
func plainChoices(h http.Header) http.Header {
	h = plain(h, "Accept-Encoding", policy.AcceptEncoding)
	return plain(h, "Accept-Language", policy.AcceptLanguage)
}

func plain(h http.Header, name string, form func([]string) string) http.Header {
	lines, ok := h[name]
	if !ok {
		return h
	}
	value := form(lines)
	if len(lines) == 1 && lines[0] == value {
		return h
	}
	h = h.Clone()
	h[name] = []string{value}
	return h
}

// originForm rewrites the URL of r, which must be the caller's own, to what is in
// the key. A client may also send a whole URL (RFC 9112, section 3.2.2), of which
// the server has taken the host; scheme and user are whatever it likes.
func originForm(r *http.Request) *http.Request {
	u := r.URL
	if u.Scheme == "" && u.Host == "" && u.User == nil && !u.ForceQuery {
		return r
	}
	r.URL = &url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}
	if r.RequestURI != "" {
		r.RequestURI = r.URL.RequestURI()
	}
	return r
}
