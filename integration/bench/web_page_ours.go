package main

import (
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware"
)

func init() {
	pageApps[ours] = func(addr string) (*webApp, error) { return pageOurs(addr, nil) }
	pageApps[oursSealed] = func(addr string) (*webApp, error) { return pageOurs(addr, [][]byte{sessionKey}) }
}

// pageOurs is this module's response cache over its client. With keys its entries
// are sealed.
func pageOurs(addr string, keys [][]byte) (*webApp, error) {
	client, err := memcached.New([]string{addr}, nil)
	if err != nil {
		return nil, err
	}
	app := newPage(client.Close)
	cache, err := middleware.New(client, &middleware.Options{TTL: time.Hour, LookupTimeout: time.Second, SealKeys: keys})
	if err != nil {
		return nil, err
	}
	app.engine.GET(app.path, cache.Handler(), makePage(app.runs))
	return app, nil
}
