package main

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// pages serves whole pages through the cache of package middleware, which counts
// what it does. The caller closes the cache, before the client.
func pages(client *memcached.Client, metrics prometheus.Registerer) (http.Handler, *middleware.Cache, error) {
	router := gin.New()
	cache, err := middleware.New(client, &middleware.Options{
		Prefix:  "page:",
		TTL:     time.Minute,
		OnEvent: newPageMetrics(metrics).count,
	})
	if err != nil {
		return nil, nil, err
	}
	group := router.Group("/pages", cache.Handler())
	group.GET("/:name", func(c *gin.Context) {
		time.Sleep(20 * time.Millisecond) // stands for the queries that a page takes
		c.String(http.StatusOK, "Page %q, drawn at %s.\n", c.Param("name"), time.Now().Format(time.TimeOnly))
	})
	group.POST("/:name", func(c *gin.Context) { c.Status(http.StatusNoContent) })
	return router, cache, nil
}
