package middleware

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/gin-gonic/gin"
)

// Handler returns the cache as gin middleware. Use it on a router, a group or a
// route: after middleware that must see every request (logging, authentication,
// CORS), and before the handlers whose responses are to be stored.
func (c *Cache) Handler() gin.HandlerFunc {
	return func(g *gin.Context) { c.handle(ginVisit{g}) }
}

// ginVisit is a request in gin's chain of handlers.
type ginVisit struct{ *gin.Context }

func (v ginVisit) request() *http.Request { return v.Request }

func (v ginVisit) writer() http.ResponseWriter { return v.Writer }

func (v ginVisit) mark() any {
	mark, _ := v.Get(sessionKey)
	return mark
}

func (v ginVisit) pass() { v.Next() }

func (v ginVisit) stop() { v.Abort() }

func (v ginVisit) run(rec *recorder, r *http.Request, direct bool) result {
	below, original := v.Writer, v.Request
	w := &ginWriter{recorder: rec, below: below, direct: direct, interim: original.ProtoAtLeast(1, 1)}
	rec.status = below.Status()
	v.Writer, v.Request = w, r
	defer func() { v.Writer, v.Request = below, original }()
	rec.unkeyed = rec.unkeyed || v.showsMore(original.URL)
	errors := len(v.Errors)
	rec.wrong = func() string {
		switch {
		case len(v.Errors) != errors:
			return "error"
		case v.IsAborted():
			return "aborted"
		default:
			return ""
		}
	}
	v.Next()
	w.finish(len(v.Errors) == errors)
	return result{good: rec.wrong() == "", last: v.Request}
}

// showsMore reports whether gin has kept the parameters of the original URL, because
// somebody above asked for one, and would show the handler some that its request does
// not have.
func (v ginVisit) showsMore(original *url.URL) bool {
	if original.RawQuery == v.Request.URL.RawQuery {
		return false
	}
	query := v.Request.URL.Query()
	for name := range original.Query() {
		if !slices.Equal(v.QueryArray(name), query[name]) {
			return true
		}
	}
	return false
}
