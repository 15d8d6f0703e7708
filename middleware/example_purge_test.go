package middleware_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/bmemcached/bmemcached-go/middleware"
)

// Everything below a path is thrown away at once, however much it is.
func ExampleCache_PurgePath() {
	client, stop := exampleClient()
	defer stop()

	cache, err := middleware.New(client, &middleware.Options{
		TTL:      time.Hour,
		PathTags: true, // what PurgePath and PurgeAll need
	})
	if err != nil {
		log.Fatal(err)
	}
	defer cache.Close()
	site := cache.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "page "+r.URL.Path)
	}))
	for _, url := range []string{"/blog/2026/tides", "/about"} {
		get(site, url)
	}

	blog, err := http.NewRequest(http.MethodGet, "https://example.com/blog/", http.NoBody)
	if err != nil {
		log.Fatal(err)
	}
	if err := cache.PurgePath(context.Background(), blog); err != nil {
		log.Print(err) // the old pages may still be served
	}
	for _, url := range []string{"/blog/2026/tides", "/about"} {
		get(site, url)
	}
	// Output:
	// 200 page /blog/2026/tides | bmemcached; fwd=uri-miss; stored
	// 200 page /about | bmemcached; fwd=uri-miss; stored
	// 200 page /blog/2026/tides | bmemcached; fwd=uri-miss; stored
	// 200 page /about | bmemcached; hit
}

// A page that is purged softly is made anew, and still stands in for an error.
func ExampleCache_SoftPurge() {
	client, stop := exampleClient()
	defer stop()
	title, broken := "First draft", false

	cache, err := middleware.New(client, &middleware.Options{TTL: time.Hour, StaleIfError: time.Hour})
	if err != nil {
		log.Fatal(err)
	}
	defer cache.Close()
	site := cache.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken {
			http.Error(w, "the database is down", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, title)
	}))
	get(site, "/articles/1")

	title, broken = "Final version", true
	page, err := http.NewRequest(http.MethodGet, "https://example.com/articles/1", http.NoBody)
	if err != nil {
		log.Fatal(err)
	}
	if err := cache.SoftPurge(context.Background(), page); err != nil {
		log.Print(err) // the old page may still be served as fresh
	}
	get(site, "/articles/1")
	broken = false
	get(site, "/articles/1")
	get(site, "/articles/1")
	// Output:
	// 200 First draft | bmemcached; fwd=uri-miss; stored
	// 200 First draft | bmemcached; fwd=stale; fwd-status=503; detail=stale-if-error
	// 200 Final version | bmemcached; fwd=stale; stored
	// 200 Final version | bmemcached; hit
}

// Lifetimes by kind of response: what is not there may come soon.
func ExampleOptions_lifetime() {
	client, stop := exampleClient()
	defer stop()

	cache, err := middleware.New(client, &middleware.Options{
		TTL: time.Hour,
		Lifetime: func(r *http.Request, status int, header http.Header, stated time.Duration) time.Duration {
			switch {
			case header.Get("Content-Type") == "application/pdf":
				return -1 // not to be stored
			case status == http.StatusNotFound:
				return min(stated, 10*time.Second)
			default:
				return stated
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer cache.Close()
	site := cache.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/report":
			w.Header().Set("Content-Type", "application/pdf")
			fmt.Fprint(w, "a report")
		case "/articles/1":
			fmt.Fprint(w, "an article")
		default:
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, "not here yet")
		}
	}))
	for _, url := range []string{"/articles/1", "/articles/1", "/articles/2", "/articles/2", "/report"} {
		get(site, url)
	}
	// Output:
	// 200 an article | bmemcached; fwd=uri-miss; stored
	// 200 an article | bmemcached; hit
	// 404 not here yet | bmemcached; fwd=uri-miss; stored
	// 404 not here yet | bmemcached; hit
	// 200 a report | bmemcached; fwd=uri-miss; detail=lifetime
}
