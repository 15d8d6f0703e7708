package middleware

import (
	"bufio"
	"io"
	"net"
	"net/http"

	"github.com/gin-gonic/gin"
)

// ginWriter is the recorder as gin's handlers see it. A status is not final before
// the first byte.
type ginWriter struct {
	*recorder
	below gin.ResponseWriter
	// direct: the response goes to the client whatever it is. Calls are passed on
	// as they come, and the writer below answers for itself.
	direct bool
	// interim: the client knows interim responses, as those of HTTP/1.0 do not (RFC 9110,
	// section 15.2): nginx takes one for the response, and the response for its body.
	interim bool
}

var (
	_ gin.ResponseWriter = (*ginWriter)(nil)
	_ io.StringWriter    = (*ginWriter)(nil)
)

func (w *ginWriter) WriteHeader(status int) {
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		// gin's writer would take it for the status of the response.
		if !w.committed && w.interim {
			base(w.below).WriteHeader(status)
		}
		return
	}
	if status > 0 {
		w.state(status)
	}
	if w.direct && !w.committed || w.committed && w.passing() {
		w.below.WriteHeader(status)
	}
}

// WriteHeaderNow commits status and header, and asks the writer below to send them, which
// it may not have done yet although it was given a part of the body.
func (w *ginWriter) WriteHeaderNow() {
	if !w.committed {
		w.settle(0)
	}
	if w.passing() {
		w.compare()
		w.below.WriteHeaderNow()
		w.handedOn()
	}
}

// settle commits the response, and hands the status on if that was not done yet.
func (w *ginWriter) settle(n int) {
	if w.direct {
		w.status = w.below.Status()
	}
	w.recorder.settle(n)
	switch {
	case w.act.pass && w.act.status != 0:
		w.below.WriteHeader(w.act.status)
		w.below.WriteHeaderNow()
		w.handedOn()
	case w.passing() && !w.direct && w.stated:
		w.below.WriteHeader(w.status)
	}
}

func (w *ginWriter) Write(p []byte) (int, error) {
	if !w.committed {
		w.settle(len(p))
	}
	return w.write(len(p), func(b []byte) []byte { return append(b, p...) },
		func() (int, error) { return w.below.Write(p) })
}

func (w *ginWriter) WriteString(s string) (int, error) {
	if !w.committed {
		w.settle(len(s))
	}
	return w.write(len(s), func(b []byte) []byte { return append(b, s...) },
		func() (int, error) { return w.below.WriteString(s) })
}

func (w *ginWriter) Flush() { _ = w.FlushError() }

// FlushError is for http.ResponseController.
func (w *ginWriter) FlushError() error {
	if !w.committed {
		w.settle(0)
	}
	return w.flush()
}

func (w *ginWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.hijack(w.below) }

func (w *ginWriter) Pusher() http.Pusher { return w.below.Pusher() }

func (w *ginWriter) Status() int {
	if w.direct {
		return w.below.Status()
	}
	return w.status
}

func (w *ginWriter) Written() bool {
	if w.direct {
		return w.below.Written()
	}
	return w.committed
}

func (w *ginWriter) Size() int {
	switch {
	case w.direct:
		return w.below.Size()
	case !w.committed:
		return -1
	default:
		return w.size
	}
}

// finish ends a response of which the handler did not write a body: one whose status
// it stated is complete if all went well.
func (w *ginWriter) finish(good bool) {
	if w.committed {
		return
	}
	w.unsent = good && w.stated
	w.silent = !w.unsent
	w.settle(0)
}
