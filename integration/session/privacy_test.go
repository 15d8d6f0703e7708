package session_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware"
	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
)

// A response that touched a session is never given to somebody else, however
// the response cache and the sessions are put together, and whatever the
// response says about itself.
func TestPrivacy_ResponseCacheDoesNotStoreWhatTouchedASession(t *testing.T) {
	client := connect(t, start(t, 1)...)
	store := newStore(t, client, nil, authKey)
	withSession := ginsessions.Sessions("session", store)
	orders := map[string]func(cache gin.HandlerFunc) []gin.HandlerFunc{
		"session, cache": func(cache gin.HandlerFunc) []gin.HandlerFunc { return []gin.HandlerFunc{withSession, cache} },
		"cache, session": func(cache gin.HandlerFunc) []gin.HandlerFunc { return []gin.HandlerFunc{cache, withSession} },
		"session, Autosave, cache": func(cache gin.HandlerFunc) []gin.HandlerFunc {
			return []gin.HandlerFunc{withSession, session.Autosave(), cache}
		},
		"cache, session, Autosave": func(cache gin.HandlerFunc) []gin.HandlerFunc {
			return []gin.HandlerFunc{cache, withSession, session.Autosave()}
		},
		"session, tracing, Autosave, cache": func(cache gin.HandlerFunc) []gin.HandlerFunc {
			return []gin.HandlerFunc{withSession, replaceRequest, session.Autosave(), cache}
		},
	}
	touches := map[string]func(c *gin.Context){
		"reads":       func(c *gin.Context) { ginsessions.Default(c).Get("user") },
		"asks the ID": func(c *gin.Context) { ginsessions.Default(c).ID() },
		"saves":       func(c *gin.Context) { ginsessions.Default(c).Set("n", 1); _ = ginsessions.Default(c).Save() },
		"renews":      func(c *gin.Context) { _ = session.Renew(c) },
	}
	for order, chain := range orders {
		for touch, f := range touches {
			t.Run(order+"/"+touch, func(t *testing.T) {
				prefix := memcached.SafeKey("", order+touch) // each case has pages of its own
				cache, err := middleware.New(client, &middleware.Options{TTL: time.Hour, Prefix: prefix, StoreSetCookie: true})
				if err != nil {
					t.Fatal(err)
				}
				var made atomic.Int64
				e := gin.New()
				e.Use(chain(cache.Handler())...)
				page := func(touching bool) gin.HandlerFunc {
					return func(c *gin.Context) {
						if touching {
							f(c)
						}
						c.Header("Cache-Control", "public, max-age=3600") // a mistake
						c.String(http.StatusOK, fmt.Sprint(made.Add(1)))
					}
				}
				e.GET("/touches", page(true))
				e.GET("/does-not", page(false))
				site := serve(t, e)
				for range 3 {
					newPerson(t, site).get("/touches")
				}
				if n := made.Load(); n != 3 {
					t.Errorf("the page was made %d times for three visitors, want 3", n)
				}
				newPerson(t, site).get("/does-not")
				newPerson(t, site).get("/does-not")
				if n := made.Load(); n != 4 {
					t.Errorf("a page that touches no session was made %d times for two visitors, want 1", n-3)
				}
			})
		}
	}
}

// replaceRequest does what middleware for tracing does.
func replaceRequest(c *gin.Context) {
	type key struct{}
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), key{}, 1))
}
