package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// examination is what a server showed of itself. Its checks (checks.go) only
// read it.
type examination struct {
	server   string
	username string // whom to authenticate as; empty: nobody
	insecure bool   // certificates are not checked
	limit    int    // Options.MaxItemSize
	timeout  time.Duration

	err     error // why it could not be asked
	hint    string
	connect time.Duration // the first answer, connecting included
	sasl    meeting

	mu    sync.Mutex // guards what connections note while others are made
	tls   *tls.ConnectionState
	local bool // the connection does not leave the machine

	version                  string
	general, settings, items map[string]string
	asked, answered          time.Time // when the general statistics were asked for, and there
	pings                    []time.Duration
}

// examine looks at one server with clients of its own.
func (t *tool) examine(ctx context.Context, opts memcached.Options, server string, pings int) *examination {
	e := &examination{server: server, username: t.username, insecure: t.insecure, limit: opts.MaxItemSize, timeout: t.timeout}
	alone := &tool{sys: t.sys, settings: t.settings} // its record is that of this server
	opts.Weights, opts.Distribution = nil, nil
	e.watch(&opts)
	alone.login.local = e.isLocal
	if r, ok := opts.Auth.(*recorder); ok {
		opts.Auth = &recorder{Mechanism: r.Mechanism, record: &alone.login}
	}
	client, err := memcached.New([]string{server}, &opts)
	if err != nil {
		e.err = err
		return e
	}
	defer client.Close()
	started := time.Now()
	e.err = one(client.Ping(ctx))
	e.connect = time.Since(started)
	if e.err != nil {
		e.hint = alone.hint(e.err)
	}
	if opts.Auth == nil && (e.err == nil || errors.Is(e.err, memcached.ErrAuth)) {
		alone.list(ctx, opts, server)
	}
	if e.sasl = alone.login.snapshot(); e.err == nil {
		e.ask(ctx, client, pings)
	}
	return e
}

// watch has the client's connections noted.
func (e *examination) watch(opts *memcached.Options) {
	opts.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		nc, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.local = isLocal(nc.RemoteAddr())
		}
		return nc, err
	}
	if opts.TLS == nil {
		return
	}
	opts.TLS = opts.TLS.Clone()
	opts.TLS.VerifyConnection = func(state tls.ConnectionState) error {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.tls = &state
		return nil
	}
}

func (e *examination) isLocal() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.local
}

func isLocal(addr net.Addr) bool {
	if tcp, ok := addr.(*net.TCPAddr); ok {
		return tcp.IP.IsLoopback()
	}
	return addr.Network() == "unix"
}

// list learns the mechanisms of a server without authenticating.
func (t *tool) list(ctx context.Context, opts memcached.Options, server string) {
	opts.Auth = &recorder{Mechanism: lister{}, record: &t.login}
	client, err := memcached.New([]string{server}, &opts)
	if err != nil {
		return // the arguments were good a moment ago
	}
	defer client.Close()
	_ = client.Ping(ctx) // fails, with errOnlyListing if the server offers SASL
}

// ask collects what the server tells.
func (e *examination) ask(ctx context.Context, client *memcached.Client, pings int) {
	versions, err := client.Versions(ctx)
	if err != nil {
		e.err = one(err)
		return
	}
	e.version = versions[e.server]
	e.asked = time.Now()
	e.general = e.statistics(ctx, client, "")
	e.answered = time.Now()
	e.settings = e.statistics(ctx, client, "settings")
	e.items = e.statistics(ctx, client, "items")
	for range pings {
		started := time.Now()
		if err := client.Ping(ctx); err != nil {
			e.err = one(err)
			return
		}
		e.pings = append(e.pings, time.Since(started))
	}
}

// statistics returns a group. A server that does not tell it, as managed ones
// do, is none that fails.
func (e *examination) statistics(ctx context.Context, client *memcached.Client, group string) map[string]string {
	stats, err := client.ServerStats(ctx, group)
	if err = one(err); err != nil && !errors.As(err, new(*memcached.StatusError)) {
		e.err = err
	}
	return stats[e.server]
}

// one returns the only error of an operation on a single server.
func one(err error) error {
	for _, err := range parts(err) {
		return err
	}
	return nil
}
