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
	"strings"
	"time"

	"github.com/aliexpressru/gomemcached/memcached"
	"github.com/bradfitz/gomemcache/memcache"
	"github.com/memcachier/mc/v3"

	ours "github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// peer is a client of one server, with the same timeout and a connection for each
// of the callers. The rest is as the library has it.
type peer struct {
	name string
	sasl bool // it can authenticate
	open func(addrs []string, secured bool) (client, error)
}

type client struct {
	get   func(key string) error // of a key that may be missing
	close func() error
}

var peers = []peer{
	{"this client", true, openOurs}, {"gomemcache", false, openGomemcache}, {"mc", true, openMC}, {"gomemcached", true, openGomemcached},
}

const (
	callers = 8
	timeout = time.Second
	keys    = 200

	user, password = "app", "secret"
)

func openOurs(addrs []string, secured bool) (client, error) {
	opts := &ours.Options{Timeout: timeout, MaxConns: callers, Logger: silent}
	if secured {
		opts.Auth = sasl.Auto(user, password)
	}
	c, err := ours.New(addrs, opts)
	if err != nil {
		return client{}, err
	}
	return client{get: func(key string) error {
		_, err := c.Get(context.Background(), key)
		return unless(err, ours.ErrCacheMiss)
	}, close: c.Close}, nil
}

func openGomemcache(addrs []string, _ bool) (client, error) {
	c := memcache.New(addrs...)
	c.Timeout, c.MaxIdleConns = timeout, callers
	return client{get: func(key string) error {
		_, err := c.Get(key)
		return unless(err, memcache.ErrCacheMiss)
	}, close: c.Close}, nil
}

func openMC(addrs []string, secured bool) (client, error) {
	name, secret := "", ""
	if secured {
		name, secret = user, password
	}
	config := mc.DefaultConfig()
	config.ConnectionTimeout, config.PoolSize = timeout, callers
	c := mc.NewMCwithConfig(strings.Join(addrs, ","), name, secret, config)
	return client{get: func(key string) error {
		_, _, _, err := c.Get(key)
		return unless(err, mc.ErrNotFound)
	}, close: func() error { c.Quit(); return nil }}, nil
}

func openGomemcached(addrs []string, secured bool) (client, error) {
	opts := []memcached.Option{
		memcached.WithServersList(addrs), memcached.WithMaxIdleConns(callers), memcached.WithTimeout(timeout),
		memcached.WithDisableNodeProvider(), memcached.WithDisableRefreshConnsInPool(),
		memcached.WithDisableMemcachedDiagnostic(), memcached.WithDisableLogger(),
	}
	if secured {
		opts = append(opts, memcached.WithAuthentication(user, password))
	}
	c, err := memcached.InitFromEnv(context.Background(), opts...)
	if err != nil {
		return client{}, err
	}
	return client{get: func(key string) error {
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
