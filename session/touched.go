package session

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/gin-gonic/gin"
)

// touchedKey marks requests whose handler touched a session, in the request's
// context and, where there is one, in gin's. It is a plain string, so that the
// response cache of this module knows it without importing this package.
const touchedKey = "github.com/bmemcached/bmemcached-go/session.touched"

// watchKey is where Autosave waits to be told.
type watchKey struct{}

// markTouched marks r, in place, as gorilla's registry does: callers keep the
// pointer.
func markTouched(r *http.Request) {
	ctx := r.Context()
	if watch, ok := ctx.Value(watchKey{}).(*atomic.Bool); ok {
		watch.Store(true)
	}
	if ctx.Value(touchedKey) == nil {
		//lint:ignore SA1029 see touchedKey
		*r = *r.WithContext(context.WithValue(ctx, touchedKey, true))
	}
}

// markGin marks a gin context.
func markGin(c *gin.Context) { c.Set(touchedKey, true) }

// markPrivate keeps shared caches from storing the response, unless the handler
// has said itself who may.
func markPrivate(w http.ResponseWriter) {
	if !started(w) && w.Header().Get("Cache-Control") == "" {
		w.Header().Set("Cache-Control", "private")
	}
}

// started reports whether the response's header is gone, as far as w tells.
// Gin's writers do.
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
