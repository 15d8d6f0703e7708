package session_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
)

func TestAutosave_SavesBeforeTheFirstByte(t *testing.T) {
	writes := map[string]gin.HandlerFunc{
		"string":      func(c *gin.Context) { c.String(http.StatusOK, "body") },
		"JSON":        func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"a": 1}) },
		"redirect":    func(c *gin.Context) { c.Redirect(http.StatusSeeOther, "/next") },
		"status only": func(c *gin.Context) { c.Status(http.StatusNoContent) },
		"header now":  func(c *gin.Context) { c.Writer.WriteHeaderNow() },
		"abort":       func(c *gin.Context) { c.AbortWithStatus(http.StatusTeapot) },
		"nothing":     func(*gin.Context) {},
		"flush":       func(c *gin.Context) { c.Writer.Flush() },
		"bytes":       func(c *gin.Context) { _, _ = c.Writer.Write([]byte("body")) },
		"string, raw": func(c *gin.Context) { _, _ = c.Writer.WriteString("body") },
		"controller":  func(c *gin.Context) { _ = http.NewResponseController(c.Writer).Flush() },
		"saved before": func(c *gin.Context) {
			_ = ginsessions.Default(c).Save()
			c.String(http.StatusOK, "body")
		},
	}
	for name, write := range writes {
		for _, order := range []string{"behind", "before"} {
			t.Run(name+"/"+order, func(t *testing.T) {
				_, store := newStore(t, nil)
				b := newBrowser(t)
				e := gin.New()
				if order == "before" {
					e.Use(session.Autosave())
				}
				e.Use(ginsessions.Sessions(cookieName, store))
				if order == "behind" {
					e.Use(session.Autosave())
				}
				e.GET("/", func(c *gin.Context) {
					ginsessions.Default(c).Set("k", 1)
					write(c)
				})
				rec := b.send(e)
				if got := rec.Header().Get("Cache-Control"); got != "private" {
					t.Errorf("Cache-Control = %q, want private", got)
				}
				b.wantValue(store, "k", 1)
			})
		}
	}
}

func TestAutosave_LeavesTheResponseAlone(t *testing.T) {
	server, store := newStore(t, nil)
	rec := newBrowser(t).autosave(store, func(c *gin.Context) { c.String(http.StatusTeapot, "body") })
	if rec.Code != http.StatusTeapot || rec.Body.String() != "body" || rec.Header().Get("Cache-Control") != "" || rec.Header().Get("Set-Cookie") != "" {
		t.Errorf("response = %d %q %v, want it as the handler made it", rec.Code, rec.Body, rec.Header())
	}
	if n := server.RequestCount(); n != 0 {
		t.Errorf("%d requests for a handler that does not touch its session, want 0", n)
	}
}

func TestAutosave_ReadingCostsOneOperation(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	server.ForgetRequests()
	rec := b.autosave(store, func(c *gin.Context) {
		ginsessions.Default(c).Get("k")
		ginsessions.Default(c).Flashes()
		c.String(http.StatusOK, "body")
	})
	if got := operations(server); got != "GAT" || rec.Header().Get("Set-Cookie") != "" {
		t.Errorf("operations = %q, Set-Cookie %q, want one load and no cookie", got, rec.Header().Get("Set-Cookie"))
	}
}

func TestAutosave_ManySessions(t *testing.T) {
	_, store := newStore(t, nil)
	e := gin.New()
	e.Use(ginsessions.SessionsMany([]string{"a", "b"}, store), session.Autosave())
	e.GET("/", func(c *gin.Context) {
		for _, name := range []string{"a", "b"} {
			s := ginsessions.DefaultMany(c, name)
			n, _ := s.Get("n").(int)
			s.Set("n", n+1)
		}
		c.String(http.StatusOK, "%v", ginsessions.DefaultMany(c, "a").Get("n"))
	})
	b := newBrowser(t)
	for n := 1; n <= 3; n++ {
		if got := b.send(e).Body.String(); got != fmt.Sprint(n) {
			t.Errorf("visit %d: body = %q", n, got)
		}
	}
	if b.cookie("a") == "" || b.cookie("b") == "" || b.cookie("a") == b.cookie("b") {
		t.Error("the sessions do not have a cookie each")
	}
}

func TestAutosave_ManySessionsReadOnly(t *testing.T) {
	_, store := newStore(t, nil)
	e := gin.New()
	e.Use(ginsessions.SessionsMany([]string{"a", "b"}, store), replaceRequest, session.Autosave())
	e.GET("/", func(c *gin.Context) { ginsessions.DefaultMany(c, "a").Get("k") })
	if got := newBrowser(t).send(e).Header().Get("Cache-Control"); got != `private, without-session="a"` {
		t.Errorf("Cache-Control = %q, want that it is without a", got)
	}
}

func TestAutosave_WithoutSessionsMiddleware(t *testing.T) {
	e := gin.New()
	e.GET("/", session.Autosave(), func(c *gin.Context) { c.String(http.StatusOK, "body") })
	if rec := newBrowser(t).send(e); rec.Code != http.StatusOK || rec.Body.String() != "body" {
		t.Errorf("response = %d %q, want the handler's", rec.Code, rec.Body)
	}
}
