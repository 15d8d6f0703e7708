package middleware

import "net/http"

// Wrap returns a handler that answers with stored responses, and has next make those
// that are missing: the cache as middleware of net/http, and of the frameworks that use
// its middleware. Outside of it belongs what must see every request (logging,
// authentication, CORS). One Cache may wrap several handlers and be used in gin as
// well, as long as no two of them answer the same URL.
func (c *Cache) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.handle(&httpVisit{w, r, next})
	})
}

// httpVisit is a request to a handler of net/http.
type httpVisit struct {
	w    http.ResponseWriter
	r    *http.Request
	next http.Handler
}

func (v *httpVisit) request() *http.Request { return v.r }

func (v *httpVisit) writer() http.ResponseWriter { return v.w }

func (v *httpVisit) mark() any { return nil }

func (v *httpVisit) pass() { v.next.ServeHTTP(v.w, v.r) }

func (v *httpVisit) stop() {}

func (v *httpVisit) run(rec *recorder, r *http.Request, _ bool) result {
	w := &httpWriter{rec}
	defer func() { v.r.Pattern = r.Pattern }() // a mux has set it, and layers above want to know
	v.next.ServeHTTP(w.face(), r)
	w.finish()
	return result{good: true, last: r}
}
