package session_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
)

func TestAutosave_FailureSetsNoCookieAndIsReportedOnce(t *testing.T) {
	_, store := newStore(t, &session.Options{MaxSize: 1000})
	var errs []*gin.Error
	e := gin.New()
	e.Use(func(c *gin.Context) { c.Next(); errs = c.Errors }, ginsessions.SessionsMany([]string{"a", "b"}, store), session.Autosave())
	e.GET("/", func(c *gin.Context) {
		ginsessions.DefaultMany(c, "a").Set("k", "small")
		ginsessions.DefaultMany(c, "b").Set("k", strings.Repeat("x", 2000))
		c.SetCookie("theme", "dark", 0, "/", "", false, false)
		c.Writer.WriteHeaderNow()
	})
	rec := newBrowser(t).send(e)
	if got := rec.Header().Values("Set-Cookie"); len(got) != 0 || rec.Code != http.StatusInternalServerError {
		t.Errorf("response = %d with Set-Cookie %q, want 500 and none", rec.Code, got)
	}
	if len(errs) != 1 || !errors.Is(errs[0].Err, session.ErrTooLarge) {
		t.Errorf("errors = %v, want ErrTooLarge once", errs)
	}
}

func TestAutosave_FailureLeavesAnErrorPageAlone(t *testing.T) {
	server, store := newStore(t, nil)
	server.Close()
	var errs []*gin.Error
	e := gin.New()
	e.Use(func(c *gin.Context) { c.Next(); errs = c.Errors }, ginsessions.Sessions(cookieName, store), session.Autosave())
	e.GET("/", func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.Set("user", "ada")
		if err := s.Save(); err != nil {
			c.String(http.StatusServiceUnavailable, "our own words")
		}
	})
	rec := newBrowser(t).send(e)
	if rec.Code != http.StatusServiceUnavailable || rec.Body.String() != "our own words" || rec.Header().Get("Set-Cookie") != "" {
		t.Errorf("response = %d %q, want the handler's", rec.Code, rec.Body)
	}
	if len(errs) != 1 || !errors.Is(errs[0].Err, session.ErrUnavailable) {
		t.Errorf("errors = %v, want ErrUnavailable once", errs)
	}
}

func TestAutosave_FailureReplacesTheResponse(t *testing.T) {
	_, store := newStore(t, &session.Options{MaxSize: 1000})
	b := newBrowser(t)
	b.set(store, "k", 1)
	var errs []*gin.Error
	e := gin.New()
	e.Use(func(c *gin.Context) { c.Next(); errs = c.Errors }, ginsessions.Sessions(cookieName, store), session.Autosave())
	e.GET("/", func(c *gin.Context) {
		ginsessions.Default(c).Set("k", strings.Repeat("x", 2000))
		c.Header("ETag", `"x"`)
		c.String(http.StatusOK, "all is well")
		c.Writer.WriteHeaderNow()
		c.Writer.WriteHeader(http.StatusOK)
		if _, err := c.Writer.Write([]byte("more")); !errors.Is(err, session.ErrTooLarge) {
			t.Errorf("Write after the failure: %v, want ErrTooLarge", err)
		}
		if _, _, err := c.Writer.Hijack(); !errors.Is(err, session.ErrTooLarge) {
			t.Errorf("Hijack after the failure: %v, want ErrTooLarge", err)
		}
	})
	rec := b.send(e)
	if rec.Code != http.StatusInternalServerError || strings.Contains(rec.Body.String(), "well") || rec.Header().Get("ETag") != "" || rec.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("response = %d %q %v, want an error page", rec.Code, rec.Body, rec.Header())
	}
	if len(errs) == 0 || !errors.Is(errs[0].Err, session.ErrTooLarge) {
		t.Errorf("errors = %v, want ErrTooLarge", errs)
	}
	b.wantValue(store, "k", 1)
}

func TestAutosave_ChangeAfterTheFirstByte(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	var errs []*gin.Error
	e := gin.New()
	e.Use(func(c *gin.Context) { c.Next(); errs = c.Errors }, ginsessions.Sessions(cookieName, store), session.Autosave())
	e.GET("/", func(c *gin.Context) {
		c.String(http.StatusOK, "body")
		ginsessions.Default(c).Set("k", 2)
	})
	if rec := b.send(e); rec.Body.String() != "body" {
		t.Errorf("body = %q", rec.Body)
	}
	if len(errs) != 1 || !errors.Is(errs[0].Err, session.ErrResponseStarted) {
		t.Errorf("errors = %v, want ErrResponseStarted", errs)
	}
	b.wantValue(store, "k", 1)
}

func TestSave_AfterTheResponseHasStarted(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	for range 2 { // of a new session, then of an old one
		b.gin(store, func(c *gin.Context) {
			c.String(http.StatusOK, "body")
			server.ForgetRequests()
			s := ginsessions.Default(c)
			s.Set("k", 1)
			if err := s.Save(); !errors.Is(err, session.ErrResponseStarted) {
				t.Errorf("Save: %v, want ErrResponseStarted", err)
			}
			s.Options(ginsessions.Options{MaxAge: -1})
			if err := s.Save(); !errors.Is(err, session.ErrResponseStarted) {
				t.Errorf("Save that deletes: %v, want ErrResponseStarted", err)
			}
			if got := strings.TrimPrefix(operations(server), "GAT"); got != "" {
				t.Errorf("operations = %q, want none", got)
			}
		})
		b.set(store, "k", 2)
	}
	b.wantValue(store, "k", 2)
}

func TestAutosave_PanicSavesNothing(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	e := gin.New()
	e.Use(gin.RecoveryWithWriter(io.Discard), ginsessions.Sessions(cookieName, store), session.Autosave())
	e.GET("/", func(c *gin.Context) {
		ginsessions.Default(c).Set("k", 2)
		panic("half way")
	})
	if rec := b.send(e); rec.Code != http.StatusInternalServerError {
		t.Errorf("status = %d, want 500", rec.Code)
	}
	b.wantValue(store, "k", 1)
}
