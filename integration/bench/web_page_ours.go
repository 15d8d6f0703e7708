package main

import (
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware"
)

func init() { pageApps[ours] = pageOurs }

// pageOurs is this module's response cache over its client.
func pageOurs(addr string) (*webApp, error) {
	client, err := memcached.New([]string{addr}, nil)
	if err != nil {
		return nil, err
	}
	app := newPage(client.Close)
	cache, err := middleware.New(client, &middleware.Options{TTL: time.Hour, LookupTimeout: time.Second})
	if err != nil {
		return nil, err
	}
	app.engine.GET(app.path, cache.Handler(), makePage(app.runs))
	return app, nil
}
