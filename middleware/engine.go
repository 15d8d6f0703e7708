package middleware

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
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

// ownState begins the paths of packages that keep in the context of a request what is that
// request's alone, and go on with it where they find it: routes, which chi uses again for
// others when the request has ended, and sessions, which others change meanwhile.
var ownState = []string{
	"github.com/go-chi/chi",
	"github.com/gorilla/sessions",
	"github.com/alexedwards/scs",
	"github.com/bmemcached/bmemcached-go/session",
}

// withoutState is the context of a request without what is that request's alone. The
// layers through which another request comes make it anew.
type withoutState struct{ context.Context }

func (c withoutState) Value(key any) any {
	if isOwnState(key) {
		return nil
	}
	return c.Context.Value(key)
}

func isOwnState(key any) bool {
	of := reflect.TypeOf(key)
	if of == nil {
		return false
	}
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	path := of.PkgPath()
	return key == sessionKey || path != "" && slices.ContainsFunc(ownState, func(begin string) bool { return strings.HasPrefix(path, begin) })
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
