package session_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/bmemcached/bmemcached-go/middleware"
	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
)

// watched is a site of which all logs are kept, at every level, and all errors:
// applications log those.
type watched struct {
	t       *testing.T
	server  *integration.Server
	client  *memcached.Client
	store   *session.Store
	site    string
	secrets *secrets

	mu   sync.Mutex // guards logs
	logs bytes.Buffer
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.logs.Write(p)
}

func (w *watched) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.logs.String()
}

// failed logs an error as applications do.
func (w *watched) failed(err error) {
	if err != nil {
		slog.Error("the handler failed", "error", err, "details", fmt.Sprintf("%+v", err))
	}
}

const (
	watchedUser  = "ada@example.test"
	watchedLabel = "her telephone"
	watchedValue = "4111111111111111"
)

// watch serves a site with everything on it: sessions with signed and with
// encrypted cookies, sessions of scs, and a response cache around them. The
// program's logger and those of all parts write to one place.
func watch(t *testing.T) *watched {
	t.Helper()
	w := &watched{t: t, server: integration.Start(t, nil), secrets: &secrets{}}
	logger := slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug - 4, AddSource: true}))
	before := slog.Default()
	slog.SetDefault(logger)
	t.Cleanup(func() { slog.SetDefault(before) })

	var err error
	w.client, err = memcached.New([]string{w.server.Addr()}, &memcached.Options{Timeout: 2 * time.Second, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.client.Close() })
	opts := &session.Options{Logger: logger, MaxSize: 100_000}
	w.store = newStore(t, w.client, opts, authKey, blockKey)
	signed := newStore(t, w.client, opts, authKey)
	cache, err := middleware.New(w.client, &middleware.Options{TTL: time.Minute, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	w.secrets.bytes("the authentication key", authKey)
	w.secrets.bytes("the encryption key", blockKey)
	for _, text := range []string{watchedUser, "example.test", watchedLabel, watchedValue} {
		w.secrets.add("what is the user's", text)
	}

	e := gin.New()
	e.Use(gin.CustomRecoveryWithWriter(w, func(c *gin.Context, _ any) { c.Status(http.StatusInternalServerError) }))
	e.Use(cache.Handler())
	w.sessions(e.Group("/encrypted", ginsessions.Sessions("encrypted", w.store), session.Autosave()), w.store)
	w.sessions(e.Group("/signed", ginsessions.Sessions("signed", signed), session.Autosave()), signed)
	e.GET("/page", func(c *gin.Context) { c.String(http.StatusOK, "a page") })

	manager := newManager(t, w.client)
	manager.ErrorFunc = func(rw http.ResponseWriter, _ *http.Request, err error) {
		w.failed(err)
		rw.WriteHeader(http.StatusServiceUnavailable)
	}
	manager.Cookie.Name = "scs"
	site := http.NewServeMux()
	site.Handle("/scs/", http.StripPrefix("/scs", scsSite(manager, func() {})))
	site.Handle("/", session.Private(e))
	w.site = serve(t, site)
	return w
}

var blockKey = []byte("fedcba9876543210fedcba9876543210")

// sessions are the pages of a site with logins.
func (w *watched) sessions(g *gin.RouterGroup, store *session.Store) {
	page := func(path string, f func(c *gin.Context, s ginsessions.Session) error) {
		g.GET(path, func(c *gin.Context) {
			s := ginsessions.Default(c)
			err := f(c, s)
			w.failed(err)
			w.secrets.bytes("an ID", []byte(s.ID()))
			w.secrets.add("a handle", session.Handle(c))
			if err != nil {
				c.Status(http.StatusServiceUnavailable)
			}
		})
	}
	page("/login", func(c *gin.Context, s ginsessions.Session) error {
		s.Set("card number", watchedValue)
		s.AddFlash("welcome, " + watchedUser)
		return errors.Join(session.Renew(c), session.Label(c, watchedLabel), session.Bind(c, watchedUser))
	})
	page("/read", func(_ *gin.Context, s ginsessions.Session) error { s.Get("card number"); return nil })
	page("/flash", func(_ *gin.Context, s ginsessions.Session) error { s.Flashes(); return s.Save() })
	page("/renew", func(c *gin.Context, _ ginsessions.Session) error { return session.Renew(c) })
	page("/remember", func(c *gin.Context, _ ginsessions.Session) error { return session.Remember(c, 30*24*time.Hour) })
	page("/others", func(c *gin.Context, _ ginsessions.Session) error {
		_, err := store.List(c, watchedUser)
		return errors.Join(err, store.RevokeOthers(c, watchedUser, session.Handle(c)), store.Revoke(c, watchedUser, "made up"))
	})
	page("/all", func(c *gin.Context, _ ginsessions.Session) error { return store.RevokeAll(c, watchedUser) })
	page("/logout", func(_ *gin.Context, s ginsessions.Session) error {
		s.Options(ginsessions.Options{Path: "/", MaxAge: -1})
		return s.Save()
	})
	page("/unknown type", func(_ *gin.Context, s ginsessions.Session) error {
		s.Set("card", struct{ Number string }{watchedValue})
		return s.Save()
	})
	page("/too large", func(_ *gin.Context, s ginsessions.Session) error {
		s.Set("cards", strings.Repeat(watchedValue, 10_000))
		return s.Save()
	})
	page("/panic", func(*gin.Context, ginsessions.Session) error { panic("a handler's own words") })
}

// visit asks for pages and notes the cookies that come back.
func (w *watched) visit(p *person, paths ...string) {
	for _, path := range paths {
		p.get(path)
		for _, c := range p.client.Jar.Cookies(p.url()) {
			w.secrets.add("a cookie", c.Value)
			w.secrets.bytes("a token", []byte(c.Value))
			if raw, err := base64.RawURLEncoding.DecodeString(c.Value); err == nil {
				w.secrets.bytes("a cookie, decoded", raw)
				if len(raw) > 33 {
					w.secrets.bytes("the bits of a cookie", raw[1:33])
				}
			}
		}
	}
}

// A dump of memcached and the logs of everything, at every level, hold no cookie,
// ID, token, user, key or value, whatever happens on a site.
func TestDump_AndAllLogs(t *testing.T) {
	w := watch(t)
	walk := func(p *person, prefix string) {
		w.visit(p, prefix+"/read", prefix+"/login", prefix+"/read", prefix+"/flash", prefix+"/renew", prefix+"/remember", prefix+"/others",
			prefix+"/unknown%20type", prefix+"/too%20large", prefix+"/panic")
	}
	scs := func(p *person) {
		w.visit(p, "/scs/set?k=user&v="+url.QueryEscape(watchedUser), "/scs/get?k=user", "/scs/renew", "/scs/get?k=user")
	}
	ada, other := newPerson(t, w.site), newPerson(t, w.site)
	for _, p := range []*person{other, ada} {
		walk(p, "/encrypted")
		walk(p, "/signed")
		scs(p)
		w.visit(p, "/page", "/page")
	}
	thief := ada.thief() // has cookies of which some are about to end
	w.checkDump(3)       // sessions, and the rosters of two key pairs
	w.forge()
	w.visit(ada, "/encrypted/read", "/encrypted/renew", "/signed/login", "/scs/get?k=user", "/scs/set?k=user&v=1", "/page")
	tampered := newPerson(t, w.site)
	for _, c := range thief.client.Jar.Cookies(thief.url()) {
		c.Value = c.Value[:len(c.Value)-5] + "AAAAA"
		tampered.client.Jar.SetCookies(tampered.url(), []*http.Cookie{c})
	}
	w.visit(tampered, "/encrypted/read", "/signed/read", "/scs/get?k=user")
	w.visit(ada, "/encrypted/login", "/signed/login", "/scs/renew")
	w.checkDump(3)
	w.visit(ada, "/encrypted/all", "/signed/logout", "/scs/destroy")
	w.visit(thief, "/encrypted/read", "/encrypted/logout", "/signed/login", "/scs/get?k=user")
	w.checkDump(1)

	keys := w.keys()
	w.server.Stop()
	walk(ada, "/encrypted")
	scs(ada)
	w.visit(ada, "/encrypted/all", "/signed/logout", "/scs/destroy", "/page")
	w.visit(newPerson(t, w.site), "/scs/set?k=user&v=1", "/encrypted/login", "/signed/flash", "/page")
	w.server.Restart()
	walk(ada, "/encrypted")
	w.keys()

	refused := integration.Start(t, &integration.Options{Users: map[string]string{username: password}})
	client, err := memcached.New([]string{refused.Addr()}, &memcached.Options{Auth: sasl.Auto(username, "not the pass.word"), Logger: slog.Default()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	w.secrets.add("a password", "not the pass.word")
	w.failed(newStore(t, client, nil, authKey).RevokeAll(t.Context(), watchedUser))

	for _, event := range []string{"sessions cannot be loaded", "a stored session cannot be read", "a session could not be saved", "the handler failed", refused.Addr()} {
		if !strings.Contains(w.logged(), event) {
			t.Errorf("the logs have nothing of %q: this test sees less than it should", event)
		}
	}
	w.secrets.notIn(t, "the logs", w.logged())
	for _, key := range keys {
		if strings.Contains(w.logged(), key) {
			_, after, _ := strings.Cut(w.logged(), key)
			t.Errorf("the logs hold the key %q, before %.100q", key, after)
		}
	}
}

// forge makes records that are no sessions: each gets another one's bytes, garbage
// or an end.
func (w *watched) forge() {
	w.t.Helper()
	items := dumpOf(w.t, w.server, 3)
	var before []byte
	for n, key := range slices.Sorted(maps.Keys(items)) {
		value := [][]byte{before, []byte(watchedUser), nil, append(slices.Clone(items[key]), 1)}[n%4]
		before = items[key]
		if err := w.client.Set(w.t.Context(), &memcached.Item{Key: key, Value: value}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// checkDump fails the test if memcached holds a secret, or fewer than n sessions and
// rosters.
func (w *watched) checkDump(n int) {
	w.t.Helper()
	for key, value := range dumpOf(w.t, w.server, n) {
		if string(value) == watchedUser { // forged above
			value = nil
		}
		w.secrets.notIn(w.t, "memcached", key+" "+string(value))
	}
}

// keys are the keys in memcached: logs do not hold them either.
func (w *watched) keys() (keys []string) {
	w.t.Helper()
	for key := range dump(w.t, w.server) {
		keys = append(keys, key)
	}
	return keys
}

// secrets are what nothing may hold, each in the forms that it could have there.
type secrets struct {
	mu    sync.Mutex        // guards forms
	forms map[string]string // and what they are of
}

func (s *secrets) add(what, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.forms == nil {
		s.forms = map[string]string{}
	}
	if len(text) < 8 { // would be found by chance
		return
	}
	for _, form := range []string{text, strings.Trim(fmt.Sprintf("%q", text), `"`), strings.Trim(fmt.Sprintf("%q", fmt.Sprintf("%q", text)), `"\`), url.QueryEscape(text)} {
		s.forms[form] = what
	}
}

func (s *secrets) bytes(what string, raw []byte) {
	if len(raw) < 8 {
		return
	}
	s.add(what, string(raw))
	s.add(what, hex.EncodeToString(raw))
	s.add(what, strings.Trim(fmt.Sprint(raw), "[]"))
	s.add(what, base64.StdEncoding.EncodeToString(raw))
	s.add(what, base64.RawURLEncoding.EncodeToString(raw))
}

func (s *secrets) notIn(t *testing.T, where, text string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for form, what := range s.forms {
		if i := strings.Index(text, form); i >= 0 {
			t.Errorf("%s: %s, %q, in %q", where, what, form, text[max(0, i-200):min(len(text), i+len(form)+50)])
		}
	}
}
