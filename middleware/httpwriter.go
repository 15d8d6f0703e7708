package middleware

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// httpWriter is the recorder as handlers of net/http see it: a status is final when
// it is stated.
type httpWriter struct{ *recorder }

// face returns w with what the writer below can do: a handler may ask whether it can
// flush, and take another way if not.
func (w *httpWriter) face() http.ResponseWriter {
	_, flushes := w.below.(http.Flusher)
	hijacker, hijacks := w.below.(http.Hijacker)
	switch {
	case flushes && hijacks:
		return struct {
			*httpWriter
			flusher
			hijackerOf
		}{w, flusher{w}, hijackerOf{w, hijacker}}
	case flushes:
		return struct {
			*httpWriter
			flusher
		}{w, flusher{w}}
	case hijacks:
		return struct {
			*httpWriter
			hijackerOf
		}{w, hijackerOf{w, hijacker}}
	default:
		return w
	}
}

// Unwrap is for http.ResponseController, which looks behind w for what w cannot do.
func (w *httpWriter) Unwrap() http.ResponseWriter {
	if _, hijacks := w.below.(http.Hijacker); hijacks {
		return w.below
	}
	return behind{w.below, w.recorder}
}

// behind is the writer below, behind which is one that can be hijacked, perhaps.
type behind struct {
	http.ResponseWriter
	to *recorder
}

func (b behind) Unwrap() http.ResponseWriter { return b.ResponseWriter }

func (b behind) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return b.to.hijack(controlled{b.ResponseWriter})
}

// controlled is hijacked by a ResponseController.
type controlled struct{ http.ResponseWriter }

func (c controlled) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(c.ResponseWriter).Hijack()
}

type flusher struct{ to *httpWriter }

func (f flusher) Flush() { _ = f.to.FlushError() }

type hijackerOf struct {
	to    *httpWriter
	below http.Hijacker
}

func (h hijackerOf) Hijack() (net.Conn, *bufio.ReadWriter, error) { return h.to.hijack(h.below) }

func (w *httpWriter) WriteHeader(status int) {
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		if !w.committed {
			w.below.WriteHeader(status)
		}
		return
	}
	w.state(status)
	switch {
	case !w.committed:
		w.settle(0)
		if w.passing() {
			w.below.WriteHeader(status)
			w.handedOn()
		}
	case w.passing():
		w.below.WriteHeader(status)
	}
}

// settle commits the response. A status that the cache puts in place of the
// handler's goes out at once.
func (w *httpWriter) settle(n int) {
	w.recorder.settle(n)
	if w.act.pass && w.act.status != 0 {
		w.below.WriteHeader(w.act.status)
		w.handedOn()
	}
}

func (w *httpWriter) Write(p []byte) (int, error) {
	if !w.committed {
		w.settle(len(p))
	}
	return w.write(len(p), func(b []byte) []byte { return append(b, p...) },
		func() (int, error) { return w.below.Write(p) })
}

func (w *httpWriter) WriteString(s string) (int, error) {
	if !w.committed {
		w.settle(len(s))
	}
	return w.write(len(s), func(b []byte) []byte { return append(b, s...) },
		func() (int, error) { return io.WriteString(w.below, s) })
}

// sniffed is what net/http, too, reads before it lets the system copy.
const sniffed = 512

// ReadFrom lets the writer below copy what need not be recorded.
func (w *httpWriter) ReadFrom(src io.Reader) (int64, error) {
	plain := struct{ io.Writer }{w}
	n := int64(0)
	if !w.committed {
		var err error
		if n, err = io.CopyN(plain, src, sniffed); err != nil {
			if err == io.EOF {
				err = nil
			}
			return n, err
		}
	}
	below, ok := w.below.(io.ReaderFrom)
	if !ok || !w.passing() || w.records() {
		more, err := io.Copy(plain, src)
		return n + more, err
	}
	defer w.clock.begin(buffered + 1).end()
	more, err := below.ReadFrom(src)
	w.size += int(more)
	return n + more, err
}

// FlushError is for http.ResponseController.
func (w *httpWriter) FlushError() error {
	if !w.committed {
		w.settle(0)
	}
	return w.flush()
}

// Push is for handlers that find the writer below to be a Pusher.
func (w *httpWriter) Push(target string, opts *http.PushOptions) error {
	if pusher, ok := w.below.(http.Pusher); ok {
		return pusher.Push(target, opts)
	}
	return http.ErrNotSupported
}

// finish ends a response of which the handler wrote nothing: net/http answers 200
// then, or whoever is above.
func (w *httpWriter) finish() {
	if w.committed {
		return
	}
	w.silent = true
	w.settle(0)
}
