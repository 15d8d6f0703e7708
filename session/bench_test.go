package session_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
)

// A request that loads a session and changes nothing, without the network to
// the browser.
func BenchmarkLoad(b *testing.B) {
	for name, middleware := range map[string][]gin.HandlerFunc{"plain": nil, "Autosave": {session.Autosave()}} {
		b.Run(name, func(b *testing.B) {
			_, store := newStore(b, nil)
			visitor := newBrowser(b)
			visitor.gin(store, func(c *gin.Context) {
				s := ginsessions.Default(c)
				s.Set("user", "alice")
				s.Set("role", "editor")
				s.Set("visits", 12)
				mustSave(b, s)
			})
			e := engine(store, append(middleware, func(c *gin.Context) {
				if ginsessions.Default(c).Get("user") != "alice" {
					b.Error("no session")
				}
				c.Status(http.StatusOK)
			})...)
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.AddCookie(&http.Cookie{Name: cookieName, Value: visitor.cookie(cookieName)})
			b.ReportAllocs()
			for b.Loop() {
				e.ServeHTTP(httptest.NewRecorder(), r.WithContext(r.Context()))
			}
		})
	}
}
