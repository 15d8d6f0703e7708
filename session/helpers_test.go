package session_test

import (
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode)
	gin.DefaultWriter = io.Discard // the published tester logs every request
	os.Exit(m.Run())
}

const cookieName = "session"

var (
	authKey  = []byte("0123456789abcdef0123456789abcdef")
	blockKey = []byte("fedcba9876543210fedcba9876543210")
)

// newClient returns a client of server that is closed when the test ends.
func newClient(t testing.TB, server *memcachedtest.Server) *memcached.Client {
	t.Helper()
	client, err := memcached.New([]string{server.Addr()}, &memcached.Options{
		DialContext: server.DialContext,
		Timeout:     10 * time.Second, // a busy machine is no reason to fail
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// keyOf is an authentication key that follows from a name.
func keyOf(name string) []byte {
	key := sha256.Sum256([]byte(name))
	return key[:]
}

// storeOn returns a store that keeps sessions by client.
func storeOn(t testing.TB, client session.Client, opts *session.Options, keys ...[]byte) *session.Store {
	t.Helper()
	store, err := session.New(client, opts, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// scsOn returns a store that keeps sessions of scs by client.
func scsOn(t testing.TB, client session.Client, opts *session.Options, keys ...[]byte) *session.SCSStore {
	t.Helper()
	store, err := session.NewSCS(client, opts, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// newStore returns a server and a store that keeps sessions on it.
func newStore(t testing.TB, opts *session.Options) (*memcachedtest.Server, *session.Store) {
	t.Helper()
	server := memcachedtest.Start(t, nil)
	return server, storeOn(t, newClient(t, server), opts, authKey)
}

// bubble runs f with a clock of its own. The client keeps spare parts with
// channels in them, which belong to one bubble alone: they are dropped before
// and after.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	runtime.GC()
	runtime.GC()
	synctest.Test(t, f)
	runtime.GC()
	runtime.GC()
}

// browser keeps cookies. Its methods may be called from several goroutines.
type browser struct {
	t   testing.TB
	tls bool
	mu  sync.Mutex // guards jar
	jar map[string]string
}

func newBrowser(t testing.TB) *browser { return &browser{t: t, jar: map[string]string{}} }

// copy is the same browser with a jar of its own: what a thief has.
func (b *browser) copy() *browser {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := newBrowser(b.t)
	for name, value := range b.jar {
		c.jar[name] = value
	}
	return c
}

func (b *browser) cookie(name string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.jar[name]
}

// send has handler answer a request that carries the browser's cookies.
func (b *browser) send(handler http.Handler) *httptest.ResponseRecorder {
	return b.sendContext(context.Background(), handler)
}

func (b *browser) sendContext(ctx context.Context, handler http.Handler) *httptest.ResponseRecorder {
	b.t.Helper()
	url := "http://example.test/"
	if b.tls {
		url = "https://example.test/"
	}
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	b.mu.Lock()
	for name, value := range b.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	b.mu.Unlock()
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, r)
	b.receive(rec.Result().Cookies())
	return rec
}

func (b *browser) receive(cookies []*http.Cookie) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range cookies {
		if c.MaxAge < 0 {
			delete(b.jar, c.Name)
		} else {
			b.jar[c.Name] = c.Value
		}
	}
}

// gin runs handler behind gin-contrib's middleware.
func (b *browser) gin(store ginsessions.Store, handler gin.HandlerFunc) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.send(engine(store, handler))
}

// autosave runs handler behind gin-contrib's middleware and Autosave.
func (b *browser) autosave(store ginsessions.Store, handler gin.HandlerFunc) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.send(engine(store, session.Autosave(), handler))
}

func engine(store ginsessions.Store, handlers ...gin.HandlerFunc) *gin.Engine {
	e := gin.New()
	e.Use(ginsessions.Sessions(cookieName, store))
	e.GET("/", handlers...)
	return e
}

// gorilla runs f with gorilla's session, under plain net/http.
func (b *browser) gorilla(store sessions.Store, f func(w http.ResponseWriter, r *http.Request, s *sessions.Session, err error)) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.send(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := store.Get(r, cookieName)
		f(w, r, s, err)
	}))
}

// set stores one value, and fails the test if that fails.
func (b *browser) set(store ginsessions.Store, key, value any) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.Set(key, value)
		if err := s.Save(); err != nil {
			b.t.Errorf("Save after Set(%v): %v", key, err)
		}
	})
}

// value returns the value that a new request finds.
func (b *browser) value(store ginsessions.Store, key any) (value any) {
	b.t.Helper()
	b.gin(store, func(c *gin.Context) { value = ginsessions.Default(c).Get(key) })
	return value
}

// wantValue fails the test unless a new request finds want.
func (b *browser) wantValue(store ginsessions.Store, key, want any) {
	b.t.Helper()
	if got := b.value(store, key); got != want {
		b.t.Errorf("Get(%v) = %v, want %v", key, got, want)
	}
}

// id returns Session.ID as a new request finds it.
func (b *browser) id(store ginsessions.Store) (id string) {
	b.t.Helper()
	b.gin(store, func(c *gin.Context) { id = ginsessions.Default(c).ID() })
	return id
}

// logout deletes the session.
func (b *browser) logout(store ginsessions.Store) (err error) {
	b.t.Helper()
	b.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.Clear()
		s.Options(ginsessions.Options{Path: "/", MaxAge: -1})
		err = s.Save()
	})
	return err
}

// records are the keys of sessions on a server, without what stands in the place
// of those that were renewed.
func records(server *memcachedtest.Server) []string {
	return slices.DeleteFunc(server.Keys(), func(key string) bool {
		item, there := server.Item(key)
		return strings.Contains(key, "user:") || !there || len(item.Value) > 0 && item.Value[0] == 0xf1
	})
}

func mustSave(t testing.TB, s ginsessions.Session) {
	t.Helper()
	if err := s.Save(); err != nil {
		t.Errorf("Save: %v", err)
	}
}

// operations lists what a server was asked since its record was begun. A GET
// beside a GAT, both at once, comes behind it.
func operations(server *memcachedtest.Server) string {
	var ops []string
	for _, r := range server.Requests() {
		if r.Op == "NOOP" { // greets a new connection
			continue
		}
		op := strings.Replace(r.Op, "GATK", "GAT", 1)
		if r.CAS != 0 {
			op += "+CAS"
		}
		ops = append(ops, op)
	}
	if len(ops) > 1 && ops[0] == "GET" && ops[1] == "GAT" {
		ops[0], ops[1] = ops[1], ops[0]
	}
	return strings.Join(ops, " ")
}

// replaceRequest does what middleware for tracing does.
func replaceRequest(c *gin.Context) {
	type key struct{}
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), key{}, 1))
}

// attributes returns what follows the value in the only Set-Cookie field.
func attributes(t *testing.T, rec *httptest.ResponseRecorder) string {
	t.Helper()
	fields := rec.Header().Values("Set-Cookie")
	if len(fields) != 1 {
		t.Fatalf("Set-Cookie = %q, want one field", fields)
	}
	_, after, _ := strings.Cut(fields[0], "; ")
	return after
}
