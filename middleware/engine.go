package middleware

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// asSent makes of r, which must be the caller's own and came to the cache, what a client
// sends that wants the page anew. It has the URL that the client asked for: layers above
// the cache may have taken a part of it, and will take it again.
func asSent(r *http.Request) {
	r.Method, r.Body = http.MethodGet, http.NoBody
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil {
		r.URL = u
	}
	r.Form, r.PostForm, r.MultipartForm = nil, nil, nil // of the URL that was
	for _, name := range []string{"If-None-Match", "If-Modified-Since", "Range", "If-Range", "Cache-Control", "Pragma"} {
		delete(r.Header, name)
	}
}

// withoutRoute is a context without what chi knows of the way of a request. It uses that
// again for others, when the request has ended, and goes on with it where it finds it.
type withoutRoute struct{ context.Context }

// route is what chi keeps in the context of a request.
type route interface {
	Reset()
	RoutePattern() string
	URLParam(key string) string
}

func (c withoutRoute) Value(key any) any {
	value := c.Context.Value(key)
	if _, ok := value.(route); ok {
		return nil
	}
	return value
}

// discardWriter is the client of a background request. It can do what that of a server
// can: handlers of streams ask for it, and answer with an error where it is missing.
type discardWriter struct{ header http.Header }

func (w *discardWriter) Header() http.Header { return w.header }

func (w *discardWriter) Write(p []byte) (int, error) { return len(p), nil }

func (w *discardWriter) WriteHeader(int) {}

func (w *discardWriter) Flush() {}

func (w *discardWriter) SetReadDeadline(time.Time) error { return nil }

func (w *discardWriter) SetWriteDeadline(time.Time) error { return nil }

func (w *discardWriter) EnableFullDuplex() error { return nil }
