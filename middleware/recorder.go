package middleware

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
)

// recorder stands between a handler and the client. It asks what to do with the
// response when the handler commits it, and then passes it on, records it, both or
// neither. ginWriter and httpWriter are its faces.
//
// The header is that of the writer below, so that it does not matter through which
// writer somebody puts a field into it. What the handler made of it is what it is
// when the response is committed, compared with what it was before.
type recorder struct {
	below  http.ResponseWriter
	before http.Header // copy of the header before the handler ran
	header http.Header // copy of the header at the commit
	sent   http.Header // copy of the header after the last call of the writer below

	// commit is called once, when status and header are final, before anything
	// goes out.
	commit func(status int, header http.Header) action
	// stream is called once, when the response turns out to be one that nobody
	// should wait for: flushed, hijacked, too large or for one visitor.
	stream func()
	// setsCookie reports whether lines of Set-Cookie make the response one
	// visitor's.
	setsCookie func(lines []string) bool
	// forbids reports whether a header says that the response is not for others.
	forbids func(header http.Header) bool
	// wrong returns what the framework knows to have gone wrong so far, or "".
	wrong func() string

	status    int
	stated    bool   // the handler chose the status
	restated  bool   // and chose another when it was too late
	altered   bool   // somebody changed the header between calls of the writer below
	silent    bool   // the handler returned and left the response to others
	unsent    bool   // the handler returned and left a status to be sent
	wrote     bool   // the handler wrote a body, if an empty one
	unguessed bool   // the header went out before the body, of which net/http guesses the type
	guessed   string // the type that net/http guessed of the beginning, when it was flushed
	unkeyed   bool   // the handler may see of the query what is not in the key
	committed bool
	act       action
	size      int // bytes that the handler wrote
	limit     int64
	recording *recording // of the body
	body      []byte     // when it is complete
	overflow  bool       // the body is not recorded to its end
	hijacked  bool
	streaming bool
	first     int             // bytes of the write that committed the header
	ctx       context.Context // of the handler's request
	clock     writeClock
}

// action is what happens to a response.
type action struct {
	pass   bool // to the client
	record bool
	// status, if not 0, replaces the status towards the client, without body.
	status int
	hide   bool // tags from clients
	// line is added to Cache-Status.
	line string
}

func newRecorder(below http.ResponseWriter, limit int64, pool *recordings) *recorder {
	w := &recorder{
		below: below, before: below.Header().Clone(), status: http.StatusOK, limit: limit,
		setsCookie: func([]string) bool { return false },
		wrong:      func() string { return "" },
	}
	w.recording = &recording{pool: pool, heldUp: w.heldUp}
	return w
}

// Header returns the header of the response.
func (w *recorder) Header() http.Header { return w.below.Header() }

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.below }

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

// state takes note of the status that the handler chooses. One that comes after the
// first byte says that the response is not what it was to be.
func (w *recorder) state(status int) {
	switch {
	case status < 200 && status != http.StatusSwitchingProtocols:
	case !w.committed:
		w.status, w.stated = status, true
	case status != w.status:
		w.restated = true
	}
}

// settle asks what to do with the response, which begins with a write of n bytes,
// without sending anything yet.
func (w *recorder) settle(n int) {
	w.committed, w.first = true, n
	canonicalize(w.Header())
	w.header = w.Header().Clone()
	w.act = w.commit(w.status, w.header)
	if n := w.declared(); w.act.record && n > 0 && n <= w.limit && !w.recording.grow(n) {
		w.drop()
	}
	if !w.act.pass {
		return
	}
	if w.act.status != 0 {
		dropRepresentation(w.Header())
	}
	if w.act.line != "" {
		addStatus(w.Header(), w.act.line)
	}
	if w.act.hide {
		hideTags(w.Header())
	}
}

// passing reports whether writes go to the writer below.
func (w *recorder) passing() bool { return w.act.pass && w.act.status == 0 }

// write records n bytes and passes them on.
func (w *recorder) write(n int, add func([]byte) []byte, pass func() (int, error)) (int, error) {
	w.record(n, add)
	if !w.passing() {
		return n, nil
	}
	defer w.clock.begin(w.size).end()
	w.compare()
	got, err := pass()
	w.handedOn()
	return w.answered(n, got, err)
}

// answered hides a client that left from the handler while its response is wanted
// for the cache.
func (w *recorder) answered(want, n int, err error) (int, error) {
	if err != nil && w.records() && !errors.Is(err, http.ErrBodyNotAllowed) && !errors.Is(err, http.ErrContentLength) {
		return want, nil
	}
	return n, err
}

func (w *recorder) records() bool { return w.act.record && !w.overflow }

// drop ends the recording, for which there is no room.
func (w *recorder) drop() {
	w.overflow = true
	w.recording.end()
	w.startStream()
}

func (w *recorder) record(n int, add func([]byte) []byte) {
	w.wrote = true
	w.size += n
	if !w.records() || !bodyAllowed(w.status) {
		return
	}
	if int64(w.size) > w.limit || !w.recording.grow(int64(n)) {
		w.drop()
		return
	}
	w.recording.add(add)
}

func (w *recorder) startStream() {
	if !w.streaming {
		w.streaming = true
		w.stream()
	}
}

// flush sends what there is, once the response is committed. Nobody waits for the
// rest.
func (w *recorder) flush() error {
	w.startStream()
	w.guess()
	if !w.act.pass {
		return nil
	}
	err := http.NewResponseController(w.below).Flush()
	w.handedOn()
	return err
}

func (w *recorder) hijack(hijacker http.Hijacker) (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := hijacker.Hijack()
	if err != nil { // the handler may go another way
		return nil, nil, err
	}
	w.hijacked = true
	w.startStream()
	w.committed = true
	w.act = action{pass: true}
	return conn, buffered, nil
}

// CloseNotify tells of the end of the handler's request, which may outlive that
// of its client.
func (w *recorder) CloseNotify() <-chan bool {
	gone := make(chan bool, 1)
	context.AfterFunc(w.ctx, func() { gone <- true })
	return gone
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
// only the length that it stated can tell. A handler that neither stated a status nor
// wrote a byte has left the response to somebody else, although a layer may have
// written nothing on the way.
func (w *recorder) whole() bool {
	if w.hijacked || w.overflow || !w.committed || w.restated || !w.stated && w.size == 0 {
		return false
	}
	if w.act.record && w.recording != nil {
		body, ok := w.recording.take()
		if w.body = body; !ok {
			return false
		}
	}
	lines := w.header["Content-Length"]
	if len(lines) == 0 {
		return w.ctx.Err() == nil
	}
	return slices.Equal(lines, []string{strconv.Itoa(len(w.body))})
}
