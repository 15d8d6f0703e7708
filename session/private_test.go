package session_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"
)

// Private marks what was only read, too, whichever way the handler answers.
func TestPrivate_AroundTheSite(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	read := func(r *http.Request) {
		if s, err := store.Get(r, cookieName); err != nil || s.Values["k"] != 1 {
			t.Errorf("Get = %v, %v, want the session", s.Values, err)
		}
	}
	for name, tt := range map[string]struct {
		handle http.HandlerFunc
		want   string
	}{
		"not touched":  {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") }, ""},
		"nothing sent": {func(_ http.ResponseWriter, r *http.Request) { read(r) }, "private"},
		"written":      {func(w http.ResponseWriter, r *http.Request) { read(r); _, _ = w.Write([]byte("x")) }, "private"},
		"a string":     {func(w http.ResponseWriter, r *http.Request) { read(r); _, _ = io.WriteString(w, "x") }, "private"},
		"a redirect":   {func(w http.ResponseWriter, r *http.Request) { read(r); http.Redirect(w, r, "/", http.StatusSeeOther) }, "private"},
		"flushed":      {func(w http.ResponseWriter, r *http.Request) { read(r); w.(http.Flusher).Flush() }, "private"},
		"copied":       {func(w http.ResponseWriter, r *http.Request) { read(r); _, _ = io.Copy(w, strings.NewReader("x")) }, "private"},
		"own field":    {func(w http.ResponseWriter, r *http.Request) { read(r); w.Header().Set("Cache-Control", "no-store") }, "no-store"},
		"another copy of the request": {func(w http.ResponseWriter, r *http.Request) {
			read(r.WithContext(context.WithValue(r.Context(), struct{ name string }{"trace"}, 1)))
		}, "private"},
	} {
		rec := b.send(session.Private(tt.handle))
		if got := rec.Result().Header.Get("Cache-Control"); got != tt.want {
			t.Errorf("%s: Cache-Control = %q, want %q", name, got, tt.want)
		}
	}
}

// Nothing that stands between Private and the handler loses the mark: the
// response cache of this module, with gin-contrib's middleware above and below
// it, and with Save or without.
func TestPrivate_WithACacheInBetween(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	client := newClient(t, server)
	store := storeOn(t, client, nil, authKey)
	cache, err := middleware.New(client, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	sessionsOf := ginsessions.Sessions(cookieName, store)
	stacks := map[string][]gin.HandlerFunc{
		"sessions above":            {sessionsOf, cache.Handler()},
		"sessions below":            {cache.Handler(), sessionsOf},
		"a replaced request, above": {sessionsOf, replaceRequest, cache.Handler(), replaceRequest},
		"Autosave above":            {sessionsOf, session.Autosave(), cache.Handler()},
		"Autosave below":            {sessionsOf, cache.Handler(), session.Autosave()},
	}
	handlers := map[string]gin.HandlerFunc{
		"read":  func(c *gin.Context) { ginsessions.Default(c).Get("k") },
		"saved": func(c *gin.Context) { s := ginsessions.Default(c); s.Set("k", 1); mustSave(t, s) },
		"bound": func(c *gin.Context) {
			if err := session.Bind(c, "ada"); err != nil {
				t.Errorf("Bind: %v", err)
			}
		},
	}
	for stack, layers := range stacks {
		for what, handler := range handlers {
			e := gin.New()
			e.Use(layers...)
			e.GET("/", handler, func(c *gin.Context) { c.Header("Expires", "never"); c.String(http.StatusOK, "x") })
			rec := newBrowser(t).send(session.Private(e))
			want := "private"
			if what == "read" { // of a request without a cookie
				want = withoutSession
			}
			if got := rec.Result().Header.Values("Cache-Control"); !slices.Equal(got, []string{want}) {
				t.Errorf("%s, %s: Cache-Control = %q, want %s", stack, what, got, want)
			}
		}
	}
}

// Under net/http, too, a Save that comes too late is an error with Private.
func TestPrivate_SaveAfterTheResponseHasStarted(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.send(session.Private(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := store.Get(r, cookieName)
		w.WriteHeader(http.StatusEarlyHints)
		s.Values["early"] = true
		if err := s.Save(r, w); err != nil {
			t.Errorf("Save after an informational response: %v", err)
		}
		if w.Header().Get("Set-Cookie") == "" {
			t.Error("Save after an informational response set no cookie")
		}
		_, _ = io.WriteString(w, "x")
		s.Values["late"] = true
		if err := sessions.Save(r, w); err == nil || !strings.Contains(err.Error(), session.ErrResponseStarted.Error()) {
			t.Errorf("Save after the first byte: %v, want ErrResponseStarted", err)
		}
	})))
}

func TestPrivate_KeepsHijackAndResponseController(t *testing.T) {
	site := httptest.NewServer(session.Private(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Errorf("SetReadDeadline: %v", err)
		}
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Errorf("Hijack: %v", err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
	})))
	defer site.Close()
	resp, err := http.Get(site.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		t.Errorf("status = %d, want 204", resp.StatusCode)
	}
}

// The store of scs tells of live sessions; tokens that are none are nobody's.
func TestPrivate_SCSStore(t *testing.T) {
	_, store := newSCS(t, nil)
	if err := store.Commit(scsToken, []byte("data"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		use  func(ctx context.Context) error
		want string
	}{
		"live":      {func(ctx context.Context) error { _, _, err := store.FindCtx(ctx, scsToken); return err }, "private"},
		"unknown":   {func(ctx context.Context) error { _, _, err := store.FindCtx(ctx, "unknown"); return err }, ""},
		"committed": {func(ctx context.Context) error { return store.CommitCtx(ctx, "new", nil, time.Now().Add(time.Hour)) }, "private"},
		"deleted":   {func(ctx context.Context) error { return store.DeleteCtx(ctx, "gone") }, "private"},
	} {
		rec := newBrowser(t).send(session.Private(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := tt.use(r.Context()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if marked := r.Context().Value(touchedKey) == true; marked != (tt.want != "") {
				t.Errorf("%s: the request is marked for a response cache: %t", name, marked)
			}
		})))
		if got := rec.Result().Header.Get("Cache-Control"); got != tt.want {
			t.Errorf("%s: Cache-Control = %q, want %q", name, got, tt.want)
		}
	}
}

// TestPrivate_OneSessionIsThereAndAnotherIsNot: what is made with the one is private, also
// for caches that know only the other, and whoever says so first.
func TestPrivate_OneSessionIsThereAndAnotherIsNot(t *testing.T) {
	_, store := newStore(t, nil)
	root := newBrowser(t)
	root.send(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := store.Get(r, "admin")
		s.Values["name"] = "root"
		if err := s.Save(r, w); err != nil {
			t.Error(err)
		}
	}))
	name := func(r *http.Request) any {
		s, err := store.Get(r, "admin")
		if err != nil {
			t.Error(err)
		}
		return s.Values["name"]
	}
	withAutosave := func(above, handler gin.HandlerFunc) http.Handler {
		e := gin.New()
		e.Use(above, ginsessions.Sessions(cookieName, store), session.Autosave())
		e.GET("/", handler)
		return e
	}
	looks := func(c *gin.Context) { ginsessions.Default(c).Get("cart") }
	read := func(c *gin.Context) { c.Set("name", name(c.Request)) }
	greets := func(c *gin.Context) { looks(c); c.String(http.StatusOK, "hello %v", c.MustGet("name")) }
	late := func(c *gin.Context) {
		looks(c)
		c.Writer.WriteHeaderNow()
		c.String(http.StatusOK, "hello %v", name(c.Request))
	}
	autosaveAlone := withAutosave(read, greets)
	for what, site := range map[string]http.Handler{
		"Autosave":                     autosaveAlone,
		"Autosave and Private":         session.Private(autosaveAlone),
		"Private, for another request": session.Private(withAutosave(func(c *gin.Context) { read(c); replaceRequest(c) }, greets)),
		"read above gin": session.Private(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n := name(r)
			withAutosave(func(c *gin.Context) { c.Set("name", n) }, greets).ServeHTTP(w, r)
		})),
		"read last, into a buffer": session.Private(buffering(withAutosave(func(*gin.Context) {}, late))),
	} {
		pages := newClient(t, memcachedtest.Start(t, nil))
		cache, err := middleware.New(pages, &middleware.Options{TTL: time.Minute, PersonalCookies: []string{cookieName}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cache.Close() })
		cached := cache.Wrap(site)
		if rec := root.send(cached); rec.Body.String() != "hello root" || rec.Header().Get("Cache-Control") != "private" {
			t.Errorf("%s: %q, Cache-Control %q, want private", what, rec.Body, rec.Header().Get("Cache-Control"))
		}
		rec := newBrowser(t).send(cached)
		if got, want := rec.Header().Get("Cache-Control"), `private, without-session="admin session"`; rec.Body.String() != "hello <nil>" || !sameNames(got, want) {
			t.Errorf("%s: a stranger gets %q, Cache-Control %q, want %q", what, rec.Body, got, want)
		}
	}
}

// sameNames reports whether two lines of Cache-Control have the same names.
func sameNames(a, b string) bool {
	words := func(line string) []string {
		return slices.Sorted(slices.Values(strings.FieldsFunc(line, func(c rune) bool { return strings.ContainsRune(` ",`, c) })))
	}
	return slices.Equal(words(a), words(b))
}

// buffering sends the response when it is complete, as middleware does that computes an
// ETag. Until then it has not started.
func buffering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := &buffer{ResponseWriter: w}
		next.ServeHTTP(b, r)
		_, _ = w.Write(b.body)
	})
}

type buffer struct {
	http.ResponseWriter
	body []byte
}

func (b *buffer) WriteHeader(int) {}

func (b *buffer) Write(p []byte) (int, error) { b.body = append(b.body, p...); return len(p), nil }

func (b *buffer) Flush() {}
