package composition_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/gin-contrib/cors"
	"github.com/gin-contrib/gzip"
	"github.com/gin-contrib/requestid"
	"github.com/gin-contrib/secure"
	"github.com/gin-contrib/sessions"
	"github.com/gin-contrib/sessions/cookie"
	"github.com/gin-contrib/sessions/memstore"
	"github.com/gin-contrib/timeout"
	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/contrib/instrumentation/github.com/gin-gonic/gin/otelgin"

	"github.com/bmemcached/bmemcached-go/session"
)

// ginLayers are layers of gin.
var ginLayers = []layer{
	{name: "fields of our own, of gin", gin: plainGin(func() gin.HandlerFunc {
		return func(c *gin.Context) { setAboveFields(c.Writer.Header(), c.Request) }
	}), notBelow: variesUnnamed},
	{name: "a field of our own, of gin", gin: plainGin(func() gin.HandlerFunc {
		return func(c *gin.Context) { c.Header("X-Above", "1") }
	})},
	{name: "fields after the handlers, of gin", gin: plainGin(func() gin.HandlerFunc {
		return func(c *gin.Context) {
			c.Next()
			c.Header("X-After", "1")
		}
	}), late: true},
	{name: "a transaction, of gin", gin: plainGin(func() gin.HandlerFunc {
		return func(c *gin.Context) {
			r, commit := withTransaction(c.Request)
			c.Request = r
			c.Next()
			commit()
		}
	})},
	{name: "a captured writer", gin: plainGin(func() gin.HandlerFunc {
		return func(c *gin.Context) { c.Set(capturedKey, c.Writer) }
	})},
	{name: "a buffer that makes an ETag, of gin", gin: plainGin(func() gin.HandlerFunc { return ginETag }), holds: true},
	{name: "a cookie of consent, of gin", gin: plainGin(func() gin.HandlerFunc {
		return func(c *gin.Context) {
			if _, err := c.Cookie("consent"); err != nil {
				c.SetCookie("consent", "asked", 3600, "/", "", false, false)
			}
		}
	}), notBelow: sameForAll},
	{name: "gin.Recovery", gin: plainGin(func() gin.HandlerFunc { return gin.RecoveryWithWriter(io.Discard) })},
	{name: "gin.CustomRecovery", gin: plainGin(func() gin.HandlerFunc {
		return gin.CustomRecoveryWithWriter(io.Discard, func(c *gin.Context, _ any) { c.String(http.StatusInternalServerError, "sorry") })
	})},
	{name: "gin.Logger", gin: plainGin(func() gin.HandlerFunc { return gin.LoggerWithWriter(io.Discard) })},
	{name: "gin.ErrorLogger", gin: plainGin(gin.ErrorLogger)},
	{name: "gin.BasicAuth", gin: plainGin(func() gin.HandlerFunc {
		return gin.BasicAuth(gin.Accounts{"ada": "secret", "bob": "secret"})
	})},
	{name: "gin-contrib/gzip", gin: plainGin(func() gin.HandlerFunc { return gzip.Gzip(gzip.BestSpeed) }), compressor: true, notBelow: dropsVary},
	{name: "gin-contrib/gzip from 1000 bytes", gin: plainGin(func() gin.HandlerFunc {
		return gzip.Gzip(gzip.BestSpeed, gzip.WithMinLength(1000))
	}), holds: true, compressor: true, notBelow: dropsVary},
	{name: "gin-contrib/cors", gin: plainGin(func() gin.HandlerFunc {
		return cors.New(cors.Config{AllowOrigins: []string{otherOrigin}, AllowMethods: []string{"GET", "POST"}, AllowCredentials: true})
	}), notBelow: variesUnnamed},
	{name: "gin-contrib/requestid", gin: plainGin(func() gin.HandlerFunc {
		return requestid.New(requestid.WithGenerator(func() string { return "generated" }))
	}), notBelow: sameForAll},
	{name: "gin-contrib/secure", gin: plainGin(func() gin.HandlerFunc {
		return secure.New(secure.Config{FrameDeny: true, ContentTypeNosniff: true, ReferrerPolicy: "same-origin"})
	})},
	{name: "gin-contrib/timeout", gin: plainGin(func() gin.HandlerFunc { return timeout.New(timeout.WithTimeout(time.Minute)) }), holds: true, hides: true},
	{name: "otelgin", gin: plainGin(func() gin.HandlerFunc { return otelgin.Middleware("site") })},
	{name: "gin-contrib/sessions (cookie)", gin: plainGin(func() gin.HandlerFunc {
		return sessions.Sessions("sid", cookie.NewStore(secret))
	})},
	{name: "gin-contrib/sessions (memory)", gin: plainGin(func() gin.HandlerFunc {
		return sessions.Sessions("sid", memstore.NewStore(secret))
	})},
	{name: "gin-contrib/sessions (our store)", gin: ourSessions},
	{name: "gin-contrib/sessions (cookie), looked at", gin: plainGin(func() gin.HandlerFunc {
		return sessions.Sessions("sid", cookie.NewStore(secret))
	}), then: []gin.HandlerFunc{look}, looks: true},
	{name: "gin-contrib/sessions (our store), looked at", gin: ourSessions, then: []gin.HandlerFunc{look}},
	{name: "gin-contrib/sessions (our store, Autosave), looked at", gin: ourSessions, then: []gin.HandlerFunc{session.Autosave(), look}, lateCookie: true},
	{name: "gin-contrib/sessions (our store, Autosave)", gin: ourSessions, then: []gin.HandlerFunc{session.Autosave()}, lateCookie: true},
}

// capturedKey is where pages find a writer from above them.
const capturedKey = "captured"

// ourSessionsKey says that the session is one of package session.
const ourSessionsKey = "our sessions"

func ourSessions(in *instance) gin.HandlerFunc {
	use := sessions.Sessions("sid", newStore(in, "sessions:"))
	return func(c *gin.Context) {
		c.Set(ourSessionsKey, true)
		use(c)
	}
}

// look looks at the session of whoever asks.
func look(c *gin.Context) {
	visits, _ := sessions.Default(c).Get("visits").(int)
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), lookedKey{}, visits))
}

// ginETag holds the response back to give it a tag.
func ginETag(c *gin.Context) {
	w := &heldGin{ResponseWriter: c.Writer, status: c.Writer.Status()}
	c.Writer = w
	c.Next()
	c.Writer = w.ResponseWriter
	if w.status == http.StatusOK && w.Header().Get("ETag") == "" {
		c.Header("ETag", sumOf(w.body.Bytes()))
		if c.GetHeader("If-None-Match") == w.Header().Get("ETag") {
			c.Status(http.StatusNotModified)
			return
		}
	}
	c.Writer.WriteHeader(w.status)
	_, _ = c.Writer.Write(w.body.Bytes())
}

type heldGin struct {
	gin.ResponseWriter
	status  int
	written bool
	body    bytes.Buffer
}

func (w *heldGin) Write(p []byte) (int, error) {
	w.written = true
	return w.body.Write(p)
}

func (w *heldGin) WriteString(s string) (int, error) {
	w.written = true
	return w.body.WriteString(s)
}

func (w *heldGin) WriteHeader(status int) {
	if status >= http.StatusOK {
		w.status = status
	}
}

func (w *heldGin) WriteHeaderNow() { w.written = true }
func (w *heldGin) Status() int     { return w.status }
func (w *heldGin) Size() int       { return w.body.Len() }
