// Command gin shows a page that gin renders once and memcached serves:
//
//	cd examples && go run ./gin
//	curl -i http://127.0.0.1:8081/articles/1    (Cache-Status: … fwd=uri-miss)
//	curl -i http://127.0.0.1:8081/articles/1    (Cache-Status: … hit)
//	curl -i -X POST http://127.0.0.1:8081/purge/article-1
//
// It uses the servers that MEMCACHED_SERVERS names (several are separated by
// commas), with MEMCACHED_USERNAME and MEMCACHED_PASSWORD, or starts a server
// of its own when there are none.
package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
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
	client, stop, err := connect(os.Getenv)
	if err != nil {
		return err
	}
	defer stop()
	fmt.Println("http://" + address + "/articles/1")
	server := &http.Server{Addr: address, Handler: site(client), ReadHeaderTimeout: 5 * time.Second}
	return server.ListenAndServe()
}

// connect returns a client of the servers in the environment, or of one inside
// this process.
func connect(getenv func(string) string) (client *memcached.Client, stop func(), err error) {
	opts := new(memcached.Options)
	if user := getenv("MEMCACHED_USERNAME"); user != "" {
		opts.Auth = sasl.Auto(user, getenv("MEMCACHED_PASSWORD"))
	}
	if servers := getenv("MEMCACHED_SERVERS"); servers != "" {
		client, err = memcached.New(strings.Split(servers, ","), opts)
		return client, func() { _ = client.Close() }, err
	}
	server, err := memcachedtest.NewServer(nil)
	if err != nil {
		return nil, nil, err
	}
	if client, err = memcached.New([]string{server.Addr()}, nil); err != nil {
		server.Close()
		return nil, nil, err
	}
	return client, func() { _ = client.Close(); server.Close() }, nil
}

// site is a gin application whose articles are cached for a minute.
func site(client *memcached.Client) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.Use(gin.Recovery())
	cache := middleware.New(client, &middleware.Options{TTL: time.Minute})
	router.GET("/articles/:id", cache.Handler(), showArticle)
	router.POST("/purge/:tag", func(c *gin.Context) {
		if err := cache.PurgeTags(c.Request.Context(), c.Param("tag")); err != nil {
			c.String(http.StatusServiceUnavailable, "not purged: %v\n", err)
			return
		}
		c.String(http.StatusOK, "purged\n")
	})
	return router
}

// showArticle is slow, and names its page so that it can be purged.
func showArticle(c *gin.Context) {
	time.Sleep(100 * time.Millisecond)
	c.Header("Cache-Tag", "article-"+c.Param("id"))
	c.String(http.StatusOK, "Article %s, rendered at %s\n", c.Param("id"), time.Now().Format(time.RFC3339Nano))
}
