package session

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
)

// Private marks the responses of handlers that touched a session, if only by
// reading, with "Cache-Control: private" unless the handler set its own
// Cache-Control, so that no cache in front gives them to others. Put it around
// the whole site, outside of every other middleware:
//
//	http.ListenAndServe(addr, session.Private(router))
//	http.ListenAndServe(addr, session.Private(manager.LoadAndSave(mux))) // scs
//
// With Autosave it is needed for handlers only that touch sessions by the
// methods of a Store. With scs every request counts that carries a live session:
// scs loads it before the handler runs and does not tell who reads it. The
// response cache of this module stores none of these responses.
//
// It also lets Save find out that a response has started (ErrResponseStarted).
// Flush, Hijack and http.ResponseController work as without it.
func Private(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := newWatch(r.Context())
		p := &privateWriter{ResponseWriter: w, watch: ctx.watch}
		next.ServeHTTP(p, r.WithContext(ctx))
		p.start()
	})
}

// privateWriter marks the response before its first byte.
type privateWriter struct {
	http.ResponseWriter
	watch   *watch
	started bool
}

// start is called before the header goes out.
func (p *privateWriter) start() {
	if p.started {
		return
	}
	if touched := p.watch.seen(); touched != nil {
		markPrivate(p.ResponseWriter, touched)
	}
	p.started = true
}

// Unwrap is for http.ResponseController.
func (p *privateWriter) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// Written reports whether the header has gone out.
func (p *privateWriter) Written() bool { return p.started }

// WriteHeader marks, then sends the header. Informational responses come before
// it.
func (p *privateWriter) WriteHeader(code int) {
	if code >= http.StatusOK || code == http.StatusSwitchingProtocols {
		p.start()
	}
	p.ResponseWriter.WriteHeader(code)
}

// Write marks, then writes.
func (p *privateWriter) Write(data []byte) (int, error) {
	p.start()
	return p.ResponseWriter.Write(data)
}

// WriteString is Write, for io.WriteString.
func (p *privateWriter) WriteString(s string) (int, error) {
	p.start()
	return io.WriteString(p.ResponseWriter, s)
}

// ReadFrom keeps sendfile working.
func (p *privateWriter) ReadFrom(r io.Reader) (int64, error) {
	p.start()
	return io.Copy(p.ResponseWriter, r)
}

// Flush marks, then sends what was written.
func (p *privateWriter) Flush() { _ = p.FlushError() }

// FlushError is Flush for http.ResponseController.
func (p *privateWriter) FlushError() error {
	p.start()
	return http.NewResponseController(p.ResponseWriter).Flush()
}

// Hijack hands the connection over.
func (p *privateWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(p.ResponseWriter).Hijack()
}

// cookieNotKept is what scs says where it sets its cookie. It lets shared caches
// keep the page.
const cookieNotKept = `no-cache="Set-Cookie"`

// withoutSession begins what a response says whose handler looked for sessions of which
// the request has no cookie. Their names follow, in quotes: all requests without these
// cookies get the same. A cache that does not know them sees private alone; directives
// that modify another are how RFC 9111 wants Cache-Control to be extended (section 5.2.3).
const withoutSession = "private, without-session="

// markPrivate keeps shared caches from storing the response, unless the handler
// has said itself who may. touched is the mark of the request. What a mark said before is
// of the same response: the two count together.
func markPrivate(w http.ResponseWriter, touched any) {
	if started(w) {
		return
	}
	marked := false
	var said []string
	for _, line := range w.Header()["Cache-Control"] {
		if names, ok := strings.CutPrefix(line, withoutSession); ok {
			marked = true
			touched = both(touched, strings.Fields(strings.Trim(names, `"`)))
			continue
		}
		said = append(said, line)
	}
	if !marked && slices.ContainsFunc(said, func(line string) bool { return line != "" && line != cookieNotKept }) {
		return
	}
	line := "private"
	if names, ok := touched.([]string); ok {
		line = withoutSession + `"` + strings.Join(names, " ") + `"`
	}
	w.Header()["Cache-Control"] = append([]string{line}, said...)
}

// started reports whether the response's header is gone, as far as w tells. The
// writers of gin and Private do.
func started(w http.ResponseWriter) bool {
	for w != nil {
		if s, ok := w.(interface{ Written() bool }); ok {
			return s.Written()
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = u.Unwrap()
	}
	return false
}
