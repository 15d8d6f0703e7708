// Package faults_test measures what callers see of faults of servers and
// networks, with this client and with others for Go.
//
//	MEMCACHED_FAULTS=3 go test -run TestFaults -v ./faults
//
// measures three rounds of all and writes the table in OPERATIONS.md; without the
// variable one short round of this client shows that the program works.
package faults_test

import (
	"context"
	"errors"
	"time"

	"github.com/aliexpressru/gomemcached/memcached"
	"github.com/bradfitz/gomemcache/memcache"
	"github.com/memcachier/mc/v3"

	ours "github.com/bmemcached/bmemcached-go/binary"
)

// peer is a client of one server, with the same timeout and a connection for each
// of the callers. The rest is as the library has it.
type peer struct {
	name string
	open func(addr string) (client, error)
}

type client struct {
	get   func() error // of a key that may be missing
	close func() error
}

var peers = []peer{
	{"this client", openOurs}, {"gomemcache", openGomemcache}, {"mc", openMC}, {"gomemcached", openGomemcached},
}

const (
	callers = 8
	timeout = time.Second
	key     = "key"
)

func openOurs(addr string) (client, error) {
	c, err := ours.New([]string{addr}, &ours.Options{Timeout: timeout, MaxConns: callers, Logger: silent})
	if err != nil {
		return client{}, err
	}
	return client{get: func() error {
		_, err := c.Get(context.Background(), key)
		return unless(err, ours.ErrCacheMiss)
	}, close: c.Close}, nil
}

func openGomemcache(addr string) (client, error) {
	c := memcache.New(addr)
	c.Timeout, c.MaxIdleConns = timeout, callers
	return client{get: func() error {
		_, err := c.Get(key)
		return unless(err, memcache.ErrCacheMiss)
	}, close: c.Close}, nil
}

func openMC(addr string) (client, error) {
	config := mc.DefaultConfig()
	config.ConnectionTimeout, config.PoolSize = timeout, callers
	c := mc.NewMCwithConfig(addr, "", "", config)
	return client{get: func() error {
		_, _, _, err := c.Get(key)
		return unless(err, mc.ErrNotFound)
	}, close: func() error { c.Quit(); return nil }}, nil
}

func openGomemcached(addr string) (client, error) {
	c, err := memcached.InitFromEnv(context.Background(),
		memcached.WithServersList([]string{addr}), memcached.WithMaxIdleConns(callers), memcached.WithTimeout(timeout),
		memcached.WithDisableNodeProvider(), memcached.WithDisableRefreshConnsInPool(),
		memcached.WithDisableMemcachedDiagnostic(), memcached.WithDisableLogger(),
	)
	if err != nil {
		return client{}, err
	}
	return client{get: func() error {
		ctx, cancel := context.WithTimeout(context.Background(), timeout) // the only limit of an operation
		defer cancel()
		_, err := c.Get(ctx, key)
		return unless(err, memcached.ErrCacheMiss)
	}, close: func() error { return c.CloseAllConns(context.Background()) }}, nil
}

// unless returns err, or nil where it is a miss.
func unless(err, miss error) error {
	if errors.Is(err, miss) {
		return nil
	}
	return err
}
