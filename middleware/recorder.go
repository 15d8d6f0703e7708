package middleware

import (
	"bufio"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"
)

// recorder stands between a handler and the client. It gives the handler a
// header of its own, asks what to do with the response when the handler commits
// it, and then passes it on, records it, both or neither.
type recorder struct {
	gin.ResponseWriter             // the writer below
	before             http.Header // what the middleware above had put there
	header             http.Header // what the handler made of it

	// commit is called once, when status and header are final, before anything
	// goes out. It may change what goes out of the header.
	commit func(status int, header http.Header) action
	// stream is called once, when the response turns out to be one that nobody
	// should wait for: flushed, hijacked or too large.
	stream func()

	status    int
	stated    bool // the handler chose the status
	committed bool
	act       action
	size      int // bytes that the handler wrote
	limit     int64
	body      []byte
	overflow  bool
	hijacked  bool
	streaming bool
	first     int             // bytes of the write that committed the header
	ctx       context.Context // of the handler's request; nil: that of the client
	clock     writeClock
}

// action is what happens to a response.
type action struct {
	pass   bool // to the client
	record bool
	// status, if not 0, replaces the status towards the client, without body.
	status int
}

func newRecorder(below gin.ResponseWriter, limit int64) *recorder {
	before := below.Header()
	return &recorder{
		ResponseWriter: below, before: before.Clone(), header: before.Clone(),
		status: below.Status(), limit: limit,
	}
}

var (
	_ gin.ResponseWriter = (*recorder)(nil)
	_ io.StringWriter    = (*recorder)(nil)
)

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Header returns the handler's header, and once it is on its way that of the
// writer below, for trailers.
func (w *recorder) Header() http.Header {
	if w.committed && w.act.pass {
		return w.ResponseWriter.Header()
	}
	return w.header
}

func (w *recorder) WriteHeader(status int) {
	switch {
	case status >= 100 && status < 200 && status != http.StatusSwitchingProtocols:
		w.inform(status)
	case status > 0 && !w.committed:
		w.status, w.stated = status, true
	}
}

// inform passes an interim response on. gin's writer would take its status for
// that of the response, so it goes to the writer below that one.
func (w *recorder) inform(status int) {
	if w.committed {
		return
	}
	below := w.ResponseWriter.Header()
	saved := maps.Clone(below)
	replaceHeader(below, w.header)
	base(w.ResponseWriter).WriteHeader(status)
	replaceHeader(below, saved)
}

// base returns the innermost writer.
func base(w http.ResponseWriter) http.ResponseWriter {
	for {
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		inner := u.Unwrap()
		if inner == nil {
			return w
		}
		w = inner
	}
}

func replaceHeader(h, with http.Header) {
	clear(h)
	maps.Copy(h, with)
}

// canonicalize spells names that a handler put into the map as it likes the way
// everyone else looks for them.
func canonicalize(h http.Header) {
	for name, values := range h {
		if canonical := http.CanonicalHeaderKey(name); canonical != name {
			delete(h, name)
			h[canonical] = append(h[canonical], values...)
		}
	}
}

// WriteHeaderNow commits status and header.
func (w *recorder) WriteHeaderNow() {
	if w.committed {
		return
	}
	w.settle()
	if w.act.pass {
		w.ResponseWriter.WriteHeaderNow()
	}
}

// commitWith is WriteHeaderNow for a write of n bytes.
func (w *recorder) commitWith(n int) {
	if !w.committed {
		w.first = n
	}
	w.WriteHeaderNow()
}

// settle asks what to do with the response and hands the header on, without
// sending it yet.
func (w *recorder) settle() {
	w.committed = true
	canonicalize(w.header)
	w.act = w.commit(w.status, w.header)
	if n := w.declared(); w.act.record && n > 0 && n <= w.limit {
		w.body = make([]byte, 0, n)
	}
	if !w.act.pass {
		return
	}
	replaceHeader(w.ResponseWriter.Header(), w.header)
	status := w.status
	if w.act.status != 0 {
		status = w.act.status
		dropRepresentation(w.ResponseWriter.Header())
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	w.commitWith(len(p))
	w.record(len(p), func(b []byte) []byte { return append(b, p...) })
	if !w.act.pass || w.act.status != 0 {
		return len(p), nil
	}
	defer w.clock.begin(w.size).end()
	n, err := w.ResponseWriter.Write(p)
	return w.wrote(len(p), n, err)
}

func (w *recorder) WriteString(s string) (int, error) {
	w.commitWith(len(s))
	w.record(len(s), func(b []byte) []byte { return append(b, s...) })
	if !w.act.pass || w.act.status != 0 {
		return len(s), nil
	}
	defer w.clock.begin(w.size).end()
	n, err := w.ResponseWriter.WriteString(s)
	return w.wrote(len(s), n, err)
}

// wrote hides a client that left from the handler while its response is wanted
// for the cache.
func (w *recorder) wrote(want, n int, err error) (int, error) {
	if err != nil && w.recording() && !errors.Is(err, http.ErrBodyNotAllowed) && !errors.Is(err, http.ErrContentLength) {
		return want, nil
	}
	return n, err
}

func (w *recorder) recording() bool { return w.act.record && !w.overflow }

func (w *recorder) record(n int, add func([]byte) []byte) {
	w.size += n
	if !w.recording() {
		return
	}
	if int64(len(w.body)+n) > w.limit {
		w.overflow = true
		w.body = nil
		w.startStream()
		return
	}
	w.body = add(w.body)
}

func (w *recorder) startStream() {
	if !w.streaming {
		w.streaming = true
		w.stream()
	}
}

func (w *recorder) Flush() { _ = w.FlushError() }

// FlushError sends what there is. Nobody waits for the rest.
func (w *recorder) FlushError() error {
	w.WriteHeaderNow()
	w.startStream()
	if !w.act.pass {
		return nil
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

func (w *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.hijacked = true
	w.startStream()
	if !w.committed {
		replaceHeader(w.ResponseWriter.Header(), w.header)
	}
	w.committed = true
	w.act = action{pass: true}
	return w.ResponseWriter.Hijack()
}

// CloseNotify tells of the end of the handler's request, which may outlive that
// of its client.
func (w *recorder) CloseNotify() <-chan bool {
	if w.ctx == nil {
		return w.ResponseWriter.CloseNotify()
	}
	gone := make(chan bool, 1)
	context.AfterFunc(w.ctx, func() { gone <- true })
	return gone
}

func (w *recorder) Status() int { return w.status }

func (w *recorder) Written() bool { return w.committed }

func (w *recorder) Size() int {
	if !w.committed {
		return -1
	}
	return w.size
}

// finish ends a response that its handler stated without writing a body.
func (w *recorder) finish() {
	if w.committed || !w.stated {
		return
	}
	w.settle()
}

// abandon hands on what a handler that wrote nothing did to the header.
func (w *recorder) abandon() {
	if !w.committed {
		w.committed = true
		w.act = action{pass: true}
		replaceHeader(w.ResponseWriter.Header(), w.header)
		if w.stated {
			w.ResponseWriter.WriteHeader(w.status)
		}
	}
}

// declared returns the length that the handler stated, or -1.
func (w *recorder) declared() int64 {
	lines := w.header["Content-Length"]
	if len(lines) == 0 {
		return -1
	}
	n, err := strconv.ParseInt(lines[0], 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// whole reports whether the body is all that the handler meant to send. Many a
// handler stops when its request is over, and returns as if it were done: then
// only the length that it stated can tell.
func (w *recorder) whole() bool {
	if w.hijacked || w.overflow || !w.committed {
		return false
	}
	lines := w.header["Content-Length"]
	if len(lines) == 0 {
		return w.ctx == nil || w.ctx.Err() == nil
	}
	return slices.Equal(lines, []string{strconv.Itoa(len(w.body))})
}
