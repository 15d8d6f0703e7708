// Command chi shows a page that chi renders once and memcached serves:
//
//	cd examples && go run ./chi
//	curl -i http://127.0.0.1:8082/articles/1    (Cache-Status: … fwd=uri-miss)
//	curl -i http://127.0.0.1:8082/articles/1    (Cache-Status: … hit)
//	curl -i -X POST http://127.0.0.1:8082/articles/1    (a change)
//
// It runs on the memcached that MEMCACHED_SERVERS names (several are separated
// by commas), with MEMCACHED_USERNAME, MEMCACHED_PASSWORD and MEMCACHED_TLS, or
// on one inside the process.
package main

import (
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/go-chi/chi/v5"
	chimiddleware "github.com/go-chi/chi/v5/middleware"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/examples/internal/connect"
	"github.com/bmemcached/bmemcached-go/middleware"
)

const address = "127.0.0.1:8082"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	client, stop, err := connect.Client(os.Getenv, nil)
	if err != nil {
		return err
	}
	defer stop()
	handler, err := site(client)
	if err != nil {
		return err
	}
	fmt.Println("http://" + address + "/articles/1")
	server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	return server.ListenAndServe()
}

// site is an application with chi whose articles are cached for a minute. What sees
// every request stands before the cache.
func site(client *memcached.Client) (http.Handler, error) {
	cache, err := middleware.New(client, &middleware.Options{TTL: time.Minute})
	if err != nil {
		return nil, err
	}
	router := chi.NewRouter()
	router.Use(chimiddleware.RequestID, chimiddleware.Recoverer, chimiddleware.Compress(5))
	router.Route("/articles", func(articles chi.Router) {
		articles.Use(cache.Wrap)
		articles.Get("/{id}", showArticle)
		articles.Post("/{id}", changeArticle)
	})
	return router, nil
}

// showArticle is slow.
func showArticle(w http.ResponseWriter, r *http.Request) {
	time.Sleep(100 * time.Millisecond)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, "Article %s, rendered at %s\n", chi.URLParam(r, "id"), time.Now().Format(time.RFC3339Nano))
}

// changeArticle changes one. The cache sees that it succeeds, and what is stored of the
// article is not used any more.
func changeArticle(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "Article %s is changed\n", chi.URLParam(r, "id"))
}
