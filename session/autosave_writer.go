package session

import (
	"bufio"
	"errors"
	"net"
	"net/http"

	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gorilla/sessions"
)

// Unwrap is for http.ResponseController.
func (w *savingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader sets the status.
func (w *savingWriter) WriteHeader(code int) {
	if w.failed == nil {
		w.ResponseWriter.WriteHeader(code)
	}
}

// Write saves, then writes.
func (w *savingWriter) Write(data []byte) (int, error) {
	if w.save(); w.failed != nil {
		return 0, w.failed
	}
	return w.ResponseWriter.Write(data)
}

// WriteString saves, then writes.
func (w *savingWriter) WriteString(s string) (int, error) {
	if w.save(); w.failed != nil {
		return 0, w.failed
	}
	return w.ResponseWriter.WriteString(s)
}

// WriteHeaderNow saves, then sends the header.
func (w *savingWriter) WriteHeaderNow() {
	if w.save(); w.failed == nil {
		w.ResponseWriter.WriteHeaderNow()
	}
}

// Flush saves, then sends what was written.
func (w *savingWriter) Flush() {
	w.save()
	w.ResponseWriter.Flush()
}

// Hijack saves, then hands the connection over. It fails if saving fails.
func (w *savingWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if w.save(); w.failed != nil {
		return nil, nil, w.failed
	}
	return w.ResponseWriter.Hijack()
}

// innerSession is gin-contrib's session with what it has besides the interface.
type innerSession interface {
	ginsessions.Session
	wrapper
}

// observed is a session whose use Autosave sees.
type observed struct {
	innerSession
	w    *savingWriter
	used bool
}

func (o *observed) use() innerSession {
	o.used = true
	if st, ok := o.innerSession.Session().Store().(*state); ok && st.none {
		o.w.watching.watch.look(st.name)
	} else {
		o.w.watching.watch.touch()
	}
	return o.innerSession
}

func (o *observed) ID() string                          { return o.use().ID() }
func (o *observed) Get(key any) any                     { return o.use().Get(key) }
func (o *observed) Set(key, val any)                    { o.use().Set(key, val) }
func (o *observed) Delete(key any)                      { o.use().Delete(key) }
func (o *observed) Clear()                              { o.use().Clear() }
func (o *observed) AddFlash(value any, vars ...string)  { o.use().AddFlash(value, vars...) }
func (o *observed) Options(options ginsessions.Options) { o.use().Options(options) }
func (o *observed) Session() *sessions.Session          { return o.use().Session() }

// Flashes takes the messages out of the store before it returns them, so that no
// other request gets them, too. If that fails it returns none: they are left for
// a later page, or another request has them.
func (o *observed) Flashes(vars ...string) []any {
	flashes := o.use().Flashes(vars...)
	if len(flashes) == 0 {
		return flashes
	}
	err := o.Save()
	if err == nil {
		return flashes
	}
	_ = o.w.c.Error(err)
	if !errors.Is(err, ErrConflict) {
		for _, message := range flashes {
			o.AddFlash(message, vars...)
		}
	}
	return nil
}
