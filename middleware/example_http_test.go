package middleware_test

import (
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/bmemcached/bmemcached-go/middleware"
)

// The cache for net/http, and for what uses its middleware: chi takes cache.Wrap in
// Use, echo takes it through echo.WrapMiddleware.
func ExampleCache_Wrap() {
	client, stop := exampleClient()
	defer stop()

	cache, err := middleware.New(client, &middleware.Options{TTL: time.Minute})
	if err != nil {
		log.Fatal(err)
	}
	defer cache.Close()

	mux := http.NewServeMux()
	mux.Handle("GET /articles/{id}", cache.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "article %s", r.PathValue("id"))
	})))

	get(mux, "/articles/1")
	get(mux, "/articles/1")
	// Output:
	// 200 article 1 | bmemcached; fwd=uri-miss; stored
	// 200 article 1 | bmemcached; hit
}

// A site whose pages look different after the login: those who are logged in get their
// own, and all others what is stored, whatever other cookies they have.
func ExampleOptions_personalCookies() {
	client, stop := exampleClient()
	defer stop()

	cache, err := middleware.New(client, &middleware.Options{
		TTL: time.Minute,
		// Set by the login, and deleted by the logout.
		PersonalCookies: []string{"session"},
		// Set for everyone; the pages do not depend on it.
		NeutralCookies: []string{"consent"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer cache.Close()

	site := cache.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("session"); err == nil {
			fmt.Fprintf(w, "hello %s", c.Value)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "consent", Value: "asked"})
		fmt.Fprint(w, "hello")
	}))

	get(site, "/")
	get(site, "/", "Cookie", "consent=yes")
	get(site, "/", "Cookie", "consent=yes; session=ada")
	// Output:
	// 200 hello | bmemcached; fwd=uri-miss; stored
	// 200 hello | bmemcached; hit
	// 200 hello ada | bmemcached; fwd=bypass
}
