package middleware_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-contrib/sessions/cookie"
	"github.com/gin-contrib/sessions/memstore"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware"
	"github.com/bmemcached/bmemcached-go/session"
)

// visit is a visitor's session, in whatever way a site keeps it.
type visit interface {
	get(key string) string
	set(key, value string) // "": removes it
}

// greeting is a site with sessions: page() greets who is logged in, who is found out by a
// layer above the cache for every request.
type greeting struct {
	sessionOf func(http.ResponseWriter, *http.Request) visit
}

type userKey struct{}

func (g greeting) page(w http.ResponseWriter, r *http.Request) {
	user, _ := r.Context().Value(userKey{}).(string)
	switch path := r.URL.Path; path {
	case "/page":
		fmt.Fprintf(w, "hello %s", user)
	case "/look":
		fmt.Fprintf(w, "hello %s", g.sessionOf(w, r).get("user"))
	case "/form":
		s := g.sessionOf(w, r)
		if s.get("token") == "" {
			s.set("token", rand.Text())
		}
		fmt.Fprintf(w, "token %s", s.get("token"))
	case "/news":
		s := g.sessionOf(w, r)
		message := s.get("message")
		if message != "" {
			s.set("message", "")
		}
		fmt.Fprintf(w, "news: %s.", message)
	default: // POST /user=ada
		key, value, _ := strings.Cut(strings.TrimPrefix(path, "/"), "=")
		g.sessionOf(w, r).set(key, value)
		fmt.Fprint(w, "done")
	}
}

// withGin puts the cache between layers of gin and the pages.
func withGin(cache *middleware.Cache, layers ...gin.HandlerFunc) http.Handler {
	g := greeting{func(w http.ResponseWriter, r *http.Request) visit {
		return ginMemory{ginsessions.Default(r.Context().Value(ginKey{}).(*gin.Context))}
	}}
	router := gin.New()
	router.Use(layers...)
	router.Use(func(c *gin.Context) { // looks at the session of everybody
		user, _ := ginsessions.Default(c).Get("user").(string)
		c.Set("user", user)
	}, cache.Handler())
	router.Any("/*path", func(c *gin.Context) {
		ctx := contextWith(c.Request, ginKey{}, c)
		g.page(c.Writer, contextWith(ctx, userKey{}, c.GetString("user")))
	})
	return router
}

type ginKey struct{}

type ginMemory struct{ ginsessions.Session }

func (m ginMemory) get(key string) string {
	value, _ := m.Get(key).(string)
	return value
}

func (m ginMemory) set(key, value string) {
	if m.Set(key, value); value == "" {
		m.Delete(key)
	}
	if key == "user" && value == "" {
		m.Options(ginsessions.Options{Path: "/", MaxAge: -1})
	}
	_ = m.Save()
}

// withGorilla does the same with net/http.
func withGorilla(cache *middleware.Cache, store sessions.Store) http.Handler {
	g := greeting{func(w http.ResponseWriter, r *http.Request) visit {
		s, _ := store.Get(r, "sid")
		return gorillaMemory{s, w, r}
	}}
	pages := cache.Wrap(http.HandlerFunc(g.page))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pages.ServeHTTP(w, contextWith(r, userKey{}, g.sessionOf(w, r).get("user")))
	})
}

type gorillaMemory struct {
	*sessions.Session
	w http.ResponseWriter
	r *http.Request
}

func (m gorillaMemory) get(key string) string {
	value, _ := m.Values[key].(string)
	return value
}

func (m gorillaMemory) set(key, value string) {
	if m.Values[key] = value; value == "" {
		delete(m.Values, key)
	}
	if key == "user" && value == "" {
		m.Session.Options.MaxAge = -1
	}
	_ = m.Save(m.r, m.w)
}

// withSCS does it with scs.
func withSCS(cache *middleware.Cache, store scs.Store) http.Handler {
	manager := scs.New()
	manager.Cookie.Name = "sid"
	if store != nil {
		manager.Store = store
	}
	g := greeting{func(_ http.ResponseWriter, r *http.Request) visit { return scsMemory{manager, r} }}
	pages := cache.Wrap(http.HandlerFunc(g.page))
	return session.Private(manager.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pages.ServeHTTP(w, contextWith(r, userKey{}, g.sessionOf(w, r).get("user")))
	})))
}

type scsMemory struct {
	manager *scs.SessionManager
	r       *http.Request
}

func (m scsMemory) get(key string) string { return m.manager.GetString(m.r.Context(), key) }

func (m scsMemory) set(key, value string) {
	switch {
	case key == "user" && value == "":
		_ = m.manager.Destroy(m.r.Context())
	case value == "":
		m.manager.Remove(m.r.Context(), key)
	default:
		m.manager.Put(m.r.Context(), key, value)
	}
}

// anonymousSites are those that somebody might have.
var anonymousSites = map[string]func(*testing.T, *memcached.Client, *middleware.Cache) http.Handler{
	"gin-contrib/sessions, cookies": func(_ *testing.T, _ *memcached.Client, cache *middleware.Cache) http.Handler {
		return withGin(cache, ginsessions.Sessions("sid", cookie.NewStore(secret)))
	},
	"gin-contrib/sessions, memory": func(_ *testing.T, _ *memcached.Client, cache *middleware.Cache) http.Handler {
		return withGin(cache, ginsessions.Sessions("sid", memstore.NewStore(secret)))
	},
	"gin-contrib/sessions, this store": func(t *testing.T, client *memcached.Client, cache *middleware.Cache) http.Handler {
		return withGin(cache, ginsessions.Sessions("sid", storeOf(t, client)))
	},
	"gin-contrib/sessions, this store, Autosave": func(t *testing.T, client *memcached.Client, cache *middleware.Cache) http.Handler {
		return withGin(cache, ginsessions.Sessions("sid", storeOf(t, client)), session.Autosave())
	},
	"gin-contrib/sessions, this store, Autosave, Private": func(t *testing.T, client *memcached.Client, cache *middleware.Cache) http.Handler {
		return session.Private(withGin(cache, ginsessions.Sessions("sid", storeOf(t, client)), session.Autosave()))
	},
	"gorilla/sessions, cookies": func(_ *testing.T, _ *memcached.Client, cache *middleware.Cache) http.Handler {
		return withGorilla(cache, sessions.NewCookieStore(secret))
	},
	"gorilla/sessions, this store": func(t *testing.T, client *memcached.Client, cache *middleware.Cache) http.Handler {
		return withGorilla(cache, storeOf(t, client))
	},
	"gorilla/sessions, this store, Private": func(t *testing.T, client *memcached.Client, cache *middleware.Cache) http.Handler {
		return session.Private(withGorilla(cache, storeOf(t, client)))
	},
	"scs": func(_ *testing.T, _ *memcached.Client, cache *middleware.Cache) http.Handler {
		return withSCS(cache, nil)
	},
	"scs, this store": func(t *testing.T, client *memcached.Client, cache *middleware.Cache) http.Handler {
		store, err := session.NewSCS(client, nil, secret)
		if err != nil {
			t.Fatal(err)
		}
		return withSCS(cache, store)
	},
}

func storeOf(t *testing.T, client *memcached.Client) *session.Store {
	t.Helper()
	store, err := session.New(client, nil, secret)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// TestAnonymous_VisitorsGetHits although a layer above the cache looks at the session of
// everybody: those who have one get what is theirs, in any order of events.
func TestAnonymous_VisitorsGetHits(t *testing.T) {
	for name, site := range anonymousSites {
		t.Run(name, func(t *testing.T) {
			_, client := newCache(t)
			cache, err := middleware.New(client, &middleware.Options{
				TTL: time.Minute, LookupTimeout: 5 * time.Second, Logger: slog.New(slog.DiscardHandler), Prefix: "anonymous:",
				PersonalCookies: []string{"sid"}, NeutralCookies: []string{"_ga"},
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = cache.Close() })
			url := serve(t, site(t, client, cache))
			ada, bob, cay, dan := newPerson(t, url, "ada"), newPerson(t, url, "bob"), newPerson(t, url, "cay"), newPerson(t, url, "dan")

			ada.wants("/page", "hello ")
			ada.wantsHit("/page", "hello ")
			bob.wantsHit("/page", "hello ")
			first := bob.wants("/look", "hello ")
			again := ada.wantsHit("/look", "hello ")
			if got, want := again.header["Cache-Control"], first.header["Cache-Control"]; !slices.Equal(got, want) {
				t.Errorf("a hit has Cache-Control %q, the first response %q: caches in front must know", got, want)
			}

			bob.post("/user=bob") // logs in
			bob.wants("/page", "hello bob")
			bob.wants("/look", "hello bob")
			ada.wantsHit("/page", "hello ")
			ada.wantsHit("/look", "hello ")

			formOfAda, formOfCay := ada.get("/form").body, cay.get("/form").body
			if formOfAda == formOfCay || dan.get("/form").body == formOfCay {
				t.Errorf("two visitors get one token: %s", formOfCay)
			}
			ada.wants("/form", formOfAda)
			cay.wants("/form", formOfCay)
			crowd(t, url)

			bob.post("/message=secret")
			eve := newPerson(t, url, "eve")
			eve.wants("/news", "news: .")
			bob.wants("/news", "news: secret.")
			bob.wants("/news", "news: .")
			eve.wantsHit("/news", "news: .")

			bob.post("/user=") // logs out
			bob.wantsHit("/page", "hello ")
			bob.wantsHit("/look", "hello ")
			eve.wantsHit("/page", "hello ")
		})
	}
}

// crowd are visitors who ask for a form at once: each gets a token of his own.
func crowd(t *testing.T, url string) {
	t.Helper()
	forms := make([]string, 8)
	var wg sync.WaitGroup
	for i := range forms {
		wg.Go(func() { forms[i] = newPerson(t, url, "crowd").get("/form").body })
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, form := range forms {
		if seen[form] || form == "" {
			t.Errorf("at once, two visitors get one token: %q", forms)
		}
		seen[form] = true
	}
}

// person is a visitor with a browser, which keeps cookies, and one from an analyst.
type person struct {
	t      *testing.T
	url    string
	client *http.Client
}

func newPerson(t *testing.T, site, name string) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(site)
	if err != nil {
		t.Fatal(err)
	}
	jar.SetCookies(u, []*http.Cookie{{Name: "_ga", Value: name}})
	return &person{t, site, &http.Client{Jar: jar}}
}

func (p *person) do(method, path string) answer {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, nil)
	if err != nil {
		p.t.Error(err)
		return answer{}
	}
	response, err := p.client.Do(request)
	if err != nil {
		p.t.Error(err)
		return answer{}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Error(err)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

func (p *person) get(path string) answer { return p.do(http.MethodGet, path) }

func (p *person) post(path string) {
	p.t.Helper()
	if a := p.do(http.MethodPost, path); a.body != "done" {
		p.t.Errorf("POST %s = %d %q", path, a.status, a.body)
	}
}

func (p *person) wants(path, body string) answer {
	p.t.Helper()
	a := p.get(path)
	if a.body != body {
		p.t.Errorf("%s = %q, want %q (%s)", path, a.body, body, a.header.Get("Cache-Status"))
	}
	return a
}

func (p *person) wantsHit(path, body string) answer {
	p.t.Helper()
	a := p.wants(path, body)
	if !a.hit() {
		p.t.Errorf("%s: %s, want a hit", path, a.header.Get("Cache-Status"))
	}
	return a
}

func contextWith(r *http.Request, key, value any) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), key, value))
}
