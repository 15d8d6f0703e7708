package main

import (
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	chenyahui "github.com/chenyahui/gin-cache"
	"github.com/chenyahui/gin-cache/persist"
	contrib "github.com/gin-contrib/cache"
	"github.com/gin-contrib/cache/persistence"
	"github.com/gin-gonic/gin"
	"github.com/memcachier/mc/v3"
)

// pageBody is the page that the caches hold.
var pageBody = "<!doctype html><title>page</title><p>" + strings.Repeat("lorem ipsum dolor ", 114)[:2000]

// pageApps builds an application around each cache.
var pageApps = map[string]func(memcached string) (*webApp, error){
	ginContribCache: pageContrib,
	ginCache:        pageGinCache,
	webNone:         pageNone,
}

// makePage is the handler behind the caches; runs counts its calls.
func makePage(runs *atomic.Int64) gin.HandlerFunc {
	body := []byte(pageBody)
	return func(c *gin.Context) {
		runs.Add(1)
		c.Data(http.StatusOK, "text/html; charset=utf-8", body)
	}
}

// pageContrib is gin-contrib/cache over memcached in the binary protocol, with
// a pool as large as the load.
func pageContrib(memcached string) (*webApp, error) {
	config := mc.DefaultConfig()
	config.PoolSize = webConns
	store := persistence.NewMemcachedBinaryStoreWithConfig(memcached, "", "", time.Hour, config)
	app := newPage(func() error { store.Quit(); return nil })
	app.engine.GET(app.path, contrib.CachePage(store, time.Hour, makePage(app.runs)))
	return app, nil
}

// pageGinCache is chenyahui/gin-cache in the process's own memory: no network
// at all.
func pageGinCache(string) (*webApp, error) {
	app := newPage(func() error { return nil })
	app.engine.GET(app.path, chenyahui.CacheByRequestURI(persist.NewMemoryStore(time.Hour), time.Hour), makePage(app.runs))
	return app, nil
}

// pageNone makes the page anew for each request.
func pageNone(string) (*webApp, error) {
	app := newPage(func() error { return nil })
	app.engine.GET(app.path, makePage(app.runs))
	app.runs = nil
	return app, nil
}

// newPage returns an application without a route.
func newPage(closing func() error) *webApp {
	return &webApp{engine: newEngine(), path: "/page", body: pageBody, runs: new(atomic.Int64), close: closing}
}
