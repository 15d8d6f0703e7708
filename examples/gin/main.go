// Command gin shows a page that gin renders once and memcached serves:
//
//	cd examples && go run ./gin
//	curl -i http://127.0.0.1:8081/articles/1    (Cache-Status: … fwd=uri-miss)
//	curl -i http://127.0.0.1:8081/articles/1    (Cache-Status: … hit)
//	curl -i -X POST http://127.0.0.1:8081/purge/article-1
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

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/examples/internal/connect"
	"github.com/bmemcached/bmemcached-go/middleware"
)

const address = "127.0.0.1:8081"

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

// site is a gin application whose articles are cached for a minute.
func site(client *memcached.Client) (http.Handler, error) {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.Use(gin.Recovery())
	cache, err := middleware.New(client, &middleware.Options{TTL: time.Minute})
	if err != nil {
		return nil, err
	}
	router.GET("/articles/:id", cache.Handler(), showArticle)
	router.POST("/purge/:tag", func(c *gin.Context) { // for editors: check who asks
		if err := cache.PurgeTags(c.Request.Context(), c.Param("tag")); err != nil {
			c.String(http.StatusServiceUnavailable, "not purged: %v\n", err)
			return
		}
		c.String(http.StatusOK, "purged\n")
	})
	return router, nil
}

// showArticle is slow, and names its page so that it can be purged.
func showArticle(c *gin.Context) {
	time.Sleep(100 * time.Millisecond)
	c.Header("Cache-Tag", "article-"+c.Param("id"))
	c.String(http.StatusOK, "Article %s, rendered at %s\n", c.Param("id"), time.Now().Format(time.RFC3339Nano))
}
