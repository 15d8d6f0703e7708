package session_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"
)

const touchedKey = "github.com/bmemcached/bmemcached-go/session.touched"

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
	if got := newBrowser(t).send(e).Header().Get("Cache-Control"); got != "private" {
		t.Errorf("Cache-Control = %q, want private", got)
	}
}

// replaceRequest does what middleware for tracing does.
func replaceRequest(c *gin.Context) {
	type key struct{}
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), key{}, 1))
}

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

func TestAutosave_WithoutSessionsMiddleware(t *testing.T) {
	e := gin.New()
	e.GET("/", session.Autosave(), func(c *gin.Context) { c.String(http.StatusOK, "body") })
	if rec := newBrowser(t).send(e); rec.Code != http.StatusOK || rec.Body.String() != "body" {
		t.Errorf("response = %d %q, want the handler's", rec.Code, rec.Body)
	}
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

func TestPrivate(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	read := func(c *gin.Context) { ginsessions.Default(c).Get("k") }
	tests := map[string]struct {
		handler gin.HandlerFunc
		want    string
	}{
		"not touched":      {func(c *gin.Context) { c.String(http.StatusOK, "x") }, ""},
		"read":             {func(c *gin.Context) { read(c); c.String(http.StatusOK, "x") }, "private"},
		"own field":        {func(c *gin.Context) { read(c); c.Header("Cache-Control", "no-store"); c.String(http.StatusOK, "x") }, "no-store"},
		"own field before": {func(c *gin.Context) { c.Header("Cache-Control", "max-age=5"); read(c); c.String(http.StatusOK, "x") }, "max-age=5"},
		"ID":               {func(c *gin.Context) { ginsessions.Default(c).ID() }, "private"},
		"by gorilla": {func(c *gin.Context) {
			if _, err := store.Get(c.Request, cookieName); err != nil {
				t.Error(err)
			}
		}, "private"},
	}
	for name, tt := range tests {
		rec := b.autosave(store, tt.handler)
		if got := rec.Header().Get("Cache-Control"); got != tt.want {
			t.Errorf("%s: Cache-Control = %q, want %q", name, got, tt.want)
		}
	}
}

func TestPrivate_RequestReplacedByAMiddlewareInBetween(t *testing.T) {
	_, store := newStore(t, nil)
	for name, e := range map[string]*gin.Engine{"behind": gin.New(), "before": gin.New()} {
		if name == "before" {
			e.Use(session.Autosave(), replaceRequest)
		}
		e.Use(ginsessions.Sessions(cookieName, store), replaceRequest)
		if name == "behind" {
			e.Use(session.Autosave(), replaceRequest)
		}
		e.GET("/", func(c *gin.Context) { ginsessions.Default(c).Get("k") })
		if got := newBrowser(t).send(e).Header().Get("Cache-Control"); got != "private" {
			t.Errorf("%s: Cache-Control = %q, want private", name, got)
		}
	}
}

func TestPrivate_WithoutAutosave(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	if got := b.set(store, "k", 1).Header().Get("Cache-Control"); got != "private" {
		t.Errorf("Cache-Control of a response that saved = %q, want private", got)
	}
	rec := b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		if err := s.Save(r, w); err != nil {
			t.Errorf("Save: %v", err)
		}
	})
	if got := rec.Header().Get("Cache-Control"); got != "private" {
		t.Errorf("Cache-Control of a response that saved no change = %q, want private", got)
	}
	rec = b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		w.Header().Set("Cache-Control", "max-age=5")
		s.Values["k"] = 2
		if err := s.Save(r, w); err != nil {
			t.Errorf("Save: %v", err)
		}
	})
	if got := rec.Header().Get("Cache-Control"); got != "max-age=5" {
		t.Errorf("Cache-Control = %q, want the handler's", got)
	}
}

// A response cache recognises requests that touched a session by this mark,
// without importing the package.
func TestTouched_IsMarked(t *testing.T) {
	_, store := newStore(t, nil)
	marked := func(c *gin.Context) bool {
		return c.GetBool(touchedKey) || c.Request.Context().Value(touchedKey) == true
	}
	tests := map[string]struct {
		handler gin.HandlerFunc
		want    bool
	}{
		"not touched": {func(*gin.Context) {}, false},
		"read":        {func(c *gin.Context) { ginsessions.Default(c).Get("k") }, true},
		"saved":       {func(c *gin.Context) { ginsessions.Default(c).Set("k", 1); _ = ginsessions.Default(c).Save() }, true},
		"renewed":     {func(c *gin.Context) { _ = session.Renew(c) }, true},
	}
	for name, tt := range tests {
		for _, auto := range []bool{false, true} {
			var got, inGin bool
			e := gin.New()
			e.Use(func(c *gin.Context) { c.Next(); got, inGin = marked(c), c.GetBool(touchedKey) }, ginsessions.Sessions(cookieName, store))
			if auto {
				e.Use(session.Autosave())
			}
			e.GET("/", tt.handler)
			newBrowser(t).send(e)
			if got != tt.want {
				t.Errorf("%s, Autosave %t: marked %t, want %t", name, auto, got, tt.want)
			}
			if (auto || name == "renewed") && inGin != tt.want {
				t.Errorf("%s, Autosave %t: marked in gin's context %t, want %t", name, auto, inGin, tt.want)
			}
		}
	}
}

func TestTouched_BySavingWithAnotherRequest(t *testing.T) {
	_, store := newStore(t, nil)
	newBrowser(t).send(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		later := r.WithContext(r.Context())
		s, err := store.Get(r, cookieName)
		if err != nil {
			t.Errorf("Get: %v", err)
		}
		if err := s.Save(later, w); err != nil {
			t.Errorf("Save: %v", err)
		}
		if later.Context().Value(touchedKey) != true {
			t.Error("the request that saved is not marked")
		}
	}))
}

// live serves a site over a real connection, to a client with a cookie jar.
func live(t *testing.T, store ginsessions.Store, handler gin.HandlerFunc) (url string, client *http.Client) {
	t.Helper()
	site := httptest.NewServer(engine(store, session.Autosave(), handler))
	t.Cleanup(site.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return site.URL, &http.Client{Jar: jar}
}

func TestAutosave_KeepsFlush(t *testing.T) {
	_, store := newStore(t, nil)
	gate := make(chan struct{})
	url, client := live(t, store, func(c *gin.Context) {
		ginsessions.Default(c).Set("k", 1)
		_, _ = c.Writer.WriteString("first\n")
		c.Writer.Flush()
		<-gate
		_, _ = c.Writer.WriteString("second\n")
	})
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	lines := bufio.NewReader(res.Body)
	if line, err := lines.ReadString('\n'); err != nil || line != "first\n" { // before the handler goes on
		t.Errorf("first line = %q, %v", line, err)
	}
	if len(res.Cookies()) != 1 {
		t.Errorf("cookies = %v, want the session's", res.Cookies())
	}
	close(gate)
	if line, err := lines.ReadString('\n'); err != nil || line != "second\n" {
		t.Errorf("second line = %q, %v", line, err)
	}
}

func TestAutosave_KeepsHijack(t *testing.T) {
	_, store := newStore(t, nil)
	url, client := live(t, store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		if c.Query("upgrade") == "" {
			s.Set("k", 1)
			c.String(http.StatusOK, "%v", s.Get("upgraded"))
			return
		}
		s.Set("upgraded", true)
		conn, rw, err := http.NewResponseController(c.Writer).Hijack()
		if err != nil {
			t.Errorf("Hijack: %v", err)
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\nhello")
		_ = rw.Flush()
	})
	get := func(url string) string {
		res, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		body, _ := io.ReadAll(res.Body)
		return string(body)
	}
	get(url)
	if body := get(url + "/?upgrade=1"); body != "hello" {
		t.Errorf("body after the upgrade = %q, want hello", body)
	}
	if body := get(url); body != "true" {
		t.Errorf("upgraded = %q, want true: it was set before the connection was taken over", body)
	}
}

func TestAutosave_KeepsResponseController(t *testing.T) {
	_, store := newStore(t, nil)
	url, client := live(t, store, func(c *gin.Context) {
		rc := http.NewResponseController(c.Writer)
		if err := errors.Join(rc.SetWriteDeadline(time.Now().Add(time.Minute)), rc.SetReadDeadline(time.Now().Add(time.Minute)), rc.EnableFullDuplex()); err != nil {
			t.Errorf("ResponseController: %v", err)
		}
		if _, ok := c.Writer.(http.Hijacker); !ok {
			t.Error("the writer is no http.Hijacker")
		}
		c.Status(http.StatusOK)
	})
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
}
