package middleware

import "net/http"

// visit is a request that came to the cache, in the terms of the framework through
// which it came.
type visit interface {
	request() *http.Request
	writer() http.ResponseWriter
	// mark returns what package session has marked the request with, if the framework
	// has a place of its own for marks: see sessions.go.
	mark() any
	// pass has the handler answer, as if there were no cache.
	pass()
	// run has the handler answer request r into rec, and puts everything back,
	// even if the handler panics. direct says that the response goes to the client
	// whatever it is.
	run(rec *recorder, r *http.Request, direct bool) result
	// stop keeps the handler from answering, or others after it: the cache has.
	stop()
}

// result is how a run of the handler ended.
type result struct {
	good bool          // without errors that the framework knows of
	last *http.Request // what the handlers made of the request
}

// sendHeader sends a response without a body.
func sendHeader(w http.ResponseWriter, status int) {
	w.WriteHeader(status)
	if lazy, ok := w.(interface{ WriteHeaderNow() }); ok {
		lazy.WriteHeaderNow()
	}
}
