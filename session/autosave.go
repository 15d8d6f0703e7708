package session

import (
	"errors"
	"net/http"

	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
)

// Autosave saves the sessions of gin-contrib/sessions that a handler changed,
// just before the first byte of the response goes out, so that handlers need
// not call Save. Use it behind that package's middleware:
//
//	router.Use(sessions.Sessions("session", store), session.Autosave())
//
// If saving fails, the error is added to the context, and the response is
// replaced by 503 (memcached is not available) or 500, without a cookie: a login
// that cannot be stored fails visibly. A response that already is an error
// (status 400 or above) is left as it is. Changes after the first byte cannot be
// saved: the error ErrResponseStarted is added to the context.
//
// A response whose handler touched a session, if only by reading, gets
// "Cache-Control: private" unless the handler set its own Cache-Control. Flash
// messages are taken out of the store as they are read, so that only one of
// several requests gets them. Flush, Hijack and http.ResponseController
// work as without it.
func Autosave() gin.HandlerFunc {
	return func(c *gin.Context) {
		w := &savingWriter{ResponseWriter: c.Writer, c: c}
		w.watch()
		c.Writer = w
		defer func() { c.Writer = w.ResponseWriter }() // a recovered panic saves nothing
		c.Next()
		w.finish()
	}
}

// watch arranges to be told when a session is touched.
func (w *savingWriter) watch() {
	r := w.c.Request
	ctx := newWatch(r.Context())
	w.watching = ctx
	*r = *r.WithContext(ctx)
	switch value, _ := w.c.Get(ginsessions.DefaultKey); s := value.(type) {
	case ginsessions.Session:
		w.c.Set(ginsessions.DefaultKey, w.observe(s))
	case map[string]ginsessions.Session:
		observed := make(map[string]ginsessions.Session, len(s))
		for name, one := range s {
			observed[name] = w.observe(one)
		}
		w.c.Set(ginsessions.DefaultKey, observed)
	}
}

// observe wraps a session so that Autosave sees it being used, whichever
// request the session was made for.
func (w *savingWriter) observe(s ginsessions.Session) ginsessions.Session {
	inner, ok := s.(innerSession)
	if !ok {
		return s
	}
	return &observed{innerSession: inner, w: w}
}

// save saves what has changed, once, before the first byte.
func (w *savingWriter) save() {
	if w.saved {
		return
	}
	w.saved = true
	err := w.saveAll()
	if touched := w.watching.Value(touchedKey); touched != nil {
		markGin(w.c, touched)
		markPrivate(w.ResponseWriter, touched)
	}
	if err != nil {
		w.reported = true
		_ = w.c.Error(err)
		if w.Status() < http.StatusBadRequest {
			w.fail(err)
		}
	}
}

func (w *savingWriter) saveAll() error {
	switch value, _ := w.c.Get(ginsessions.DefaultKey); s := value.(type) {
	case ginsessions.Session:
		return w.saveOne(s)
	case map[string]ginsessions.Session:
		var errs []error
		for _, one := range s {
			errs = append(errs, w.saveOne(one))
		}
		return errors.Join(errs...)
	default:
		return nil
	}
}

// saveOne saves a session that has changed, or whose cookie is to be sent anew.
func (w *savingWriter) saveOne(s ginsessions.Session) error {
	if o, ok := s.(*observed); ok && o.used && !o.Written() && !started(w.ResponseWriter) {
		session := o.innerSession.Session()
		if st, ok := session.Store().(*state); ok && st.failed == nil && st.rolls(session) {
			return session.Save(w.c.Request, w.ResponseWriter)
		}
	}
	return s.Save()
}

// finish saves when the handler is done, having written nothing or changed a
// session since.
func (w *savingWriter) finish() {
	if !w.saved {
		w.save()
		return
	}
	if err := w.saveAll(); err != nil && !w.reported {
		_ = w.c.Error(err)
	}
}

// fail puts an error response in the place of the handler's.
func (w *savingWriter) fail(err error) {
	w.failed = err
	status := http.StatusInternalServerError
	if errors.Is(err, ErrUnavailable) {
		status = http.StatusServiceUnavailable
	}
	h := w.Header()
	for _, name := range []string{"Content-Length", "Content-Encoding", "Etag", "Last-Modified", "Location", "Set-Cookie"} {
		h.Del(name)
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.ResponseWriter.WriteHeader(status)
	_, _ = w.ResponseWriter.WriteString("The session could not be saved.\n")
}

// savingWriter is gin's writer that saves sessions before the first byte.
type savingWriter struct {
	gin.ResponseWriter
	c        *gin.Context
	watching *watchedContext
	saved    bool  // as far as possible
	reported bool  // the context has the error
	failed   error // an error response stands in the place of the handler's
}
