package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	memcached "github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
	"github.com/bmemcached/bmemcached-go/session"
	"github.com/gin-contrib/sessions"
)

// exampleClient returns a client of a memcached inside the process. A program
// names its own servers.
func exampleClient() (client *memcached.Client, stop func()) {
	server, err := memcachedtest.NewServer(nil)
	if err != nil {
		log.Fatal(err)
	}
	client, err = memcached.New([]string{server.Addr()}, nil)
	if err != nil {
		log.Fatal(err)
	}
	return client, func() {
		client.Close()
		server.Close()
	}
}

// get asks a site for a page as curl does, and prints what came of it. The
// seconds of the lifetime that is left are cut off.
func get(site http.Handler, url string, header ...string) {
	r := httptest.NewRequest(http.MethodGet, url, http.NoBody)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	site.ServeHTTP(w, r)
	status, _, _ := strings.Cut(w.Header().Get("Cache-Status"), "; ttl=")
	fmt.Printf("%d %s | %s\n", w.Code, w.Body, status)
}

// A page that is made once a minute.
func Example() {
	client, stop := exampleClient()
	defer stop()

	router := gin.New()
	cache, err := middleware.New(client, &middleware.Options{TTL: time.Minute})
	if err != nil {
		log.Fatal(err)
	}
	router.GET("/articles/:id", cache.Handler(), func(c *gin.Context) {
		c.String(http.StatusOK, "article "+c.Param("id"))
	})
	get(router, "/articles/1")
	get(router, "/articles/1")
	get(router, "/articles/2")
	// Output:
	// 200 article 1 | bmemcached; fwd=uri-miss; stored
	// 200 article 1 | bmemcached; hit
	// 200 article 2 | bmemcached; fwd=uri-miss; stored
}

// Without a TTL responses are kept as they say themselves.
func ExampleNew() {
	client, stop := exampleClient()
	defer stop()

	router := gin.New()
	cache, err := middleware.New(client, nil)
	if err != nil {
		log.Fatal(err)
	}
	router.Use(cache.Handler())
	router.GET("/shared", func(c *gin.Context) {
		c.Header("Cache-Control", "public, max-age=60")
		c.String(http.StatusOK, "for everybody")
	})
	router.GET("/own", func(c *gin.Context) {
		c.Header("Cache-Control", "private")
		c.String(http.StatusOK, "for one")
	})
	for _, url := range []string{"/shared", "/shared", "/own", "/own"} {
		get(router, url)
	}
	// Output:
	// 200 for everybody | bmemcached; fwd=uri-miss; stored
	// 200 for everybody | bmemcached; hit
	// 200 for one | bmemcached; fwd=uri-miss; detail=private
	// 200 for one | bmemcached; fwd=uri-miss; detail=hit-for-miss
}

// A page is thrown away when what it shows has changed.
func ExampleCache_Purge() {
	client, stop := exampleClient()
	defer stop()
	title := "First draft"

	router := gin.New()
	cache, err := middleware.New(client, &middleware.Options{TTL: time.Hour})
	if err != nil {
		log.Fatal(err)
	}
	router.GET("/articles/:id", cache.Handler(), func(c *gin.Context) {
		c.String(http.StatusOK, title)
	})
	get(router, "/articles/1")
	title = "Final version"
	get(router, "/articles/1")

	// All variants of the page, in every process that shares the memcached.
	page, err := http.NewRequest(http.MethodGet, "https://example.com/articles/1", http.NoBody)
	if err != nil {
		log.Fatal(err)
	}
	if err := cache.Purge(context.Background(), page); err != nil {
		log.Print(err) // the old page may still be served
	}
	get(router, "/articles/1")
	// Output:
	// 200 First draft | bmemcached; fwd=uri-miss; stored
	// 200 First draft | bmemcached; hit
	// 200 Final version | bmemcached; fwd=uri-miss; stored
}

// Pages name what they show in Cache-Tag, and are thrown away by it, however
// many they are.
func ExampleCache_PurgeTags() {
	client, stop := exampleClient()
	defer stop()

	router := gin.New()
	cache, err := middleware.New(client, &middleware.Options{TTL: time.Hour})
	if err != nil {
		log.Fatal(err)
	}
	router.Use(cache.Handler())
	router.GET("/articles/:id", func(c *gin.Context) {
		c.Header("Cache-Tag", "article-"+c.Param("id"))
		c.String(http.StatusOK, "article "+c.Param("id"))
	})
	router.GET("/", func(c *gin.Context) {
		c.Header("Cache-Tag", "article-1, article-2")
		c.String(http.StatusOK, "all articles")
	})
	for _, url := range []string{"/articles/1", "/articles/2", "/"} {
		get(router, url)
	}
	if err := cache.PurgeTags(context.Background(), "article-1"); err != nil {
		log.Print(err)
	}
	for _, url := range []string{"/articles/1", "/articles/2", "/"} {
		get(router, url)
	}
	// Output:
	// 200 article 1 | bmemcached; fwd=uri-miss; stored
	// 200 article 2 | bmemcached; fwd=uri-miss; stored
	// 200 all articles | bmemcached; fwd=uri-miss; stored
	// 200 article 1 | bmemcached; fwd=uri-miss; stored
	// 200 article 2 | bmemcached; hit
	// 200 all articles | bmemcached; fwd=uri-miss; stored
}

// With an Engine a stale page is sent at once, and made anew behind the back of
// the visitor.
func ExampleOptions_engine() {
	client, stop := exampleClient()
	defer stop()

	router := gin.New()
	stored := make(chan struct{}, 2)
	cache, err := middleware.New(client, &middleware.Options{
		StaleWhileRevalidate: time.Hour,
		Engine:               router,
		OnEvent: func(e middleware.Event) {
			if e.Kind == middleware.EventStored {
				stored <- struct{}{}
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer cache.Close()
	version := 0
	router.GET("/", cache.Handler(), func(c *gin.Context) {
		version++
		maxAge := "max-age=60"
		if version == 1 {
			maxAge = "max-age=60, stale-while-revalidate=3600"
			c.Header("Age", "61") // as if it had been made a minute ago
		}
		c.Header("Cache-Control", maxAge)
		c.String(http.StatusOK, "version %d", version)
	})
	get(router, "/")
	<-stored
	get(router, "/") // stale, and the reason to make a new one
	<-stored
	get(router, "/")
	// Output:
	// 200 version 1 | bmemcached; fwd=uri-miss; stored
	// 200 version 1 | bmemcached; hit
	// 200 version 2 | bmemcached; hit
}

// Key may change the query, for the key and for the handler: here parameters that
// change nothing are left out. Searches are not cached.
func ExampleOptions_key() {
	client, stop := exampleClient()
	defer stop()

	router := gin.New()
	cache, err := middleware.New(client, &middleware.Options{
		TTL: time.Minute,
		Key: func(r *http.Request) (key string, ok bool) {
			if r.URL.Path == "/search" {
				return "", false
			}
			query := r.URL.Query()
			query.Del("utm_source")
			r.URL.RawQuery = query.Encode()
			return "", true
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	router.Use(cache.Handler())
	router.GET("/:page", func(c *gin.Context) { c.String(http.StatusOK, "a page") })
	for _, url := range []string{"/news", "/news?utm_source=letter", "/search?q=tides"} {
		get(router, url)
	}
	// Output:
	// 200 a page | bmemcached; fwd=uri-miss; stored
	// 200 a page | bmemcached; hit
	// 200 a page | bmemcached; fwd=bypass
}

// One page in several forms: the response says what it depends on.
func ExampleCache_Handler_vary() {
	client, stop := exampleClient()
	defer stop()

	router := gin.New()
	cache, err := middleware.New(client, &middleware.Options{TTL: time.Minute})
	if err != nil {
		log.Fatal(err)
	}
	router.Use(cache.Handler())
	router.GET("/", func(c *gin.Context) {
		c.Header("Vary", "Accept-Language")
		if strings.HasPrefix(c.GetHeader("Accept-Language"), "de") {
			c.String(http.StatusOK, "Guten Tag")
			return
		}
		c.String(http.StatusOK, "Good day")
	})
	get(router, "/", "Accept-Language", "en")
	get(router, "/", "Accept-Language", "de")
	get(router, "/", "Accept-Language", "de")
	get(router, "/", "Accept-Language", "en")
	// Output:
	// 200 Good day | bmemcached; fwd=uri-miss; stored
	// 200 Guten Tag | bmemcached; fwd=vary-miss; stored
	// 200 Guten Tag | bmemcached; hit
	// 200 Good day | bmemcached; hit
}

// A page that shows a visitor's own session is not stored: the cache notices
// that the handler touched it.
func ExampleCache_Handler_sessions() {
	client, stop := exampleClient()
	defer stop()
	store, err := session.New(client, nil, []byte("32 random bytes, from a secret store"))
	if err != nil {
		log.Fatal(err)
	}

	router := gin.New()
	cache, err := middleware.New(client, &middleware.Options{TTL: time.Minute})
	if err != nil {
		log.Fatal(err)
	}
	router.Use(cache.Handler(), sessions.Sessions("session", store), session.Autosave())
	router.GET("/about", func(c *gin.Context) { c.String(http.StatusOK, "about us") })
	router.GET("/cart", func(c *gin.Context) {
		c.String(http.StatusOK, "cart: %v", sessions.Default(c).Get("cart"))
	})
	for _, url := range []string{"/about", "/about", "/cart", "/cart"} {
		get(router, url)
	}
	// Output:
	// 200 about us | bmemcached; fwd=uri-miss; stored
	// 200 about us | bmemcached; hit
	// 200 cart: <nil> | bmemcached; fwd=uri-miss; detail=private
	// 200 cart: <nil> | bmemcached; fwd=uri-miss; detail=hit-for-miss
}

// The last good page is better than an error.
func ExampleOptions_staleIfError() {
	client, stop := exampleClient()
	defer stop()

	router := gin.New()
	cache, err := middleware.New(client, &middleware.Options{StaleIfError: time.Hour})
	if err != nil {
		log.Fatal(err)
	}
	requests := 0
	router.GET("/", cache.Handler(), func(c *gin.Context) {
		if requests++; requests > 1 {
			c.String(http.StatusServiceUnavailable, "the database is down")
			return
		}
		c.Header("Cache-Control", "max-age=60")
		c.Header("Age", "61") // as if it had been made a minute ago
		c.String(http.StatusOK, "the page")
	})
	get(router, "/")
	get(router, "/")
	// Output:
	// 200 the page | bmemcached; fwd=uri-miss; stored
	// 200 the page | bmemcached; fwd=stale; fwd-status=503; detail=stale-if-error
}

// Counting hits and misses, for a graph or an alert.
func ExampleOptions_onEvent() {
	client, stop := exampleClient()
	defer stop()

	counts := map[middleware.EventKind]int{}
	cache, err := middleware.New(client, &middleware.Options{
		TTL: time.Minute,
		OnEvent: func(e middleware.Event) {
			counts[e.Kind]++ // one request after another here; a program takes an atomic counter
			if e.Kind == middleware.EventError && !errors.Is(e.Err, memcached.ErrUnavailable) {
				log.Print(e.Err)
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	router := gin.New()
	router.GET("/", cache.Handler(), func(c *gin.Context) { c.String(http.StatusOK, "page") })
	for range 4 {
		get(router, "/")
	}
	fmt.Println(counts[middleware.EventMiss], "miss,", counts[middleware.EventHit], "hits")
	// Output:
	// 200 page | bmemcached; fwd=uri-miss; stored
	// 200 page | bmemcached; hit
	// 200 page | bmemcached; hit
	// 200 page | bmemcached; hit
	// 1 miss, 3 hits
}
