// Command echo shows a page that echo renders once and memcached serves:
//
//	cd examples && go run ./echo
//	curl -i http://127.0.0.1:8083/articles/1    (Cache-Status: … fwd=uri-miss)
//	curl -i http://127.0.0.1:8083/articles/1    (Cache-Status: … hit)
//	curl -i -X POST http://127.0.0.1:8083/articles/1    (a change)
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

	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/examples/internal/connect"
	"github.com/bmemcached/bmemcached-go/middleware"
)

const address = "127.0.0.1:8083"

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

// site is an application with echo whose articles are cached for a minute. What sees
// every request stands before the cache. An error that a handler returns is answered by
// echo after the cache, and never stored; for StaleIfError to cover it, middleware below
// the cache must have c.Error answer it.
func site(client *memcached.Client) (http.Handler, error) {
	cache, err := middleware.New(client, &middleware.Options{TTL: time.Minute})
	if err != nil {
		return nil, err
	}
	e := echo.New()
	e.Use(echomiddleware.Recover(), echomiddleware.Gzip())
	articles := e.Group("/articles", echo.WrapMiddleware(cache.Wrap))
	articles.GET("/:id", showArticle)
	articles.POST("/:id", changeArticle)
	return e, nil
}

// showArticle is slow.
func showArticle(c echo.Context) error {
	time.Sleep(100 * time.Millisecond)
	if c.Param("id") == "0" {
		return echo.ErrNotFound
	}
	return c.String(http.StatusOK, fmt.Sprintf("Article %s, rendered at %s\n", c.Param("id"), time.Now().Format(time.RFC3339Nano)))
}

// changeArticle changes one. The cache sees that it succeeds, and what is stored of the
// article is not used any more.
func changeArticle(c echo.Context) error {
	return c.String(http.StatusOK, fmt.Sprintf("Article %s is changed\n", c.Param("id")))
}
