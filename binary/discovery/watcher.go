package discovery

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// Client is what a Watcher needs of the client that it serves.
type Client interface {
	SetServers(servers []string) error
}

var _ Client = (*memcached.Client)(nil)

// Watcher keeps the servers of one client current until Close. It owns one
// goroutine. Its methods are safe for concurrent use.
type Watcher struct {
	client   Client
	resolver Resolver
	opts     Options
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	done     chan struct{} // closed when the goroutine has ended
	wake     chan struct{} // has room for one: somebody waits for a resolution

	mu      sync.Mutex // guards what follows
	status  Status
	waiters []chan error // of Refresh
}

// Status is what a Watcher knows.
type Status struct {
	// Servers are the servers that the client got last, sorted. They are nil
	// as long as no resolution has succeeded.
	Servers []string
	// Changed is when the client got them.
	Changed time.Time
	// Checked is when the last resolution ended.
	Checked time.Time
	// Failures is the number of failed resolutions since the last success. Err
	// is the error of the latest, or nil.
	Failures int
	Err      error
}

// New resolves the servers, makes a client of them, and keeps them current. It
// fails when the first resolution fails or memcached.New refuses the servers or
// clientOpts. ctx limits the first resolution only. Nil options are defaults; a
// nil resolver panics.
//
// The caller closes both: the Watcher first, then the client.
func New(ctx context.Context, resolver Resolver, clientOpts *memcached.Options, opts *Options) (*memcached.Client, *Watcher, error) {
	if resolver == nil {
		panic("discovery: New: resolver is nil")
	}
	if clientOpts != nil {
		if err := checkTrust(resolver, clientOpts.TLS); err != nil {
			return nil, nil, err
		}
	}
	w, err := newWatcher(resolver, opts)
	if err != nil {
		return nil, nil, err
	}
	servers, err := w.resolve(ctx)
	if err != nil {
		return nil, nil, err
	}
	client, err := memcached.New(servers, clientOpts)
	if err != nil {
		return nil, nil, err
	}
	w.client = client
	w.succeeded(servers)
	w.start()
	return client, w, nil
}

// Watch resolves the servers, gives them to client, and keeps them current. It
// fails when the first resolution fails, unless Options.StartAnyway is set. ctx
// limits the first resolution only. Nil options are defaults; a nil client or
// resolver panics.
//
// Close ends it. Closing the client ends it too, but only when the servers
// change the next time.
func Watch(ctx context.Context, client Client, resolver Resolver, opts *Options) (*Watcher, error) {
	switch {
	case client == nil, client == (*memcached.Client)(nil):
		panic("discovery: Watch: client is nil")
	case resolver == nil:
		panic("discovery: Watch: resolver is nil")
	}
	if err := checkTrust(resolver, tlsOf(client)); err != nil {
		return nil, err
	}
	w, err := newWatcher(resolver, opts)
	if err != nil {
		return nil, err
	}
	w.client = client
	if err := w.check(ctx); err != nil && (!w.opts.StartAnyway || errors.Is(err, memcached.ErrClosed)) {
		return nil, err
	}
	w.start()
	return w, nil
}

func newWatcher(resolver Resolver, opts *Options) (*Watcher, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Watcher{resolver: resolver, opts: o, done: make(chan struct{}), wake: make(chan struct{}, 1)}, nil
}

// Close ends the resolutions, waits until the one under way has ended, and is
// idempotent. The client keeps its servers.
func (w *Watcher) Close() error {
	w.cancel()
	<-w.done
	return nil
}

// Status returns what the Watcher knows. The slice belongs to the caller.
func (w *Watcher) Status() Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.status
	s.Servers = slices.Clone(s.Servers)
	return s
}

// Refresh resolves at once and returns the result. Concurrent calls get the
// result of one resolution. When ctx ends, Refresh returns and the resolution
// goes on.
func (w *Watcher) Refresh(ctx context.Context) error {
	answer := make(chan error, 1)
	w.mu.Lock()
	w.waiters = append(w.waiters, answer)
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default: // others wait already
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		w.forget(answer)
		return ctx.Err()
	case <-w.done:
		return ErrClosed
	}
}

// forget removes a waiter who has given up.
func (w *Watcher) forget(answer chan error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiters = slices.DeleteFunc(w.waiters, func(c chan error) bool { return c == answer })
}

func (w *Watcher) start() {
	w.ctx, w.cancel = context.WithCancel(context.Background())
	go w.run()
}

// run resolves after every pause, and whenever Refresh asks, until Close.
func (w *Watcher) run() {
	defer close(w.done)
	timer := time.NewTimer(w.pause())
	defer timer.Stop()
	for {
		select {
		case <-w.ctx.Done():
			return
		case <-w.wake:
		case <-timer.C:
		}
		w.mu.Lock()
		waiters := w.waiters // who comes later gets the next resolution
		w.waiters = nil
		w.mu.Unlock()
		err := w.check(w.ctx)
		if w.ctx.Err() != nil {
			err = ErrClosed
		}
		for _, answer := range waiters {
			answer <- err
		}
		if errors.Is(err, memcached.ErrClosed) {
			return
		}
		timer.Reset(w.pause())
	}
}

// pause returns how long to wait before the next resolution.
func (w *Watcher) pause() time.Duration {
	w.mu.Lock()
	failures := w.status.Failures
	w.mu.Unlock()
	pause := w.opts.Interval
	if failures > 0 {
		pause = min(pause, firstPause<<min(failures-1, 20))
	}
	return pause - time.Duration(rand.Float64()*w.opts.Jitter*float64(pause))
}

// check resolves once and gives the client what changed.
func (w *Watcher) check(ctx context.Context) error {
	servers, err := w.resolve(ctx)
	if err == nil && !slices.Equal(servers, w.Status().Servers) {
		err = w.client.SetServers(slices.Clone(servers))
	}
	switch {
	case err == nil:
		w.succeeded(servers)
	case w.ctx == nil || w.ctx.Err() == nil: // else it ended because of Close
		w.failed(err)
	}
	return err
}

// resolve resolves once, within Options.Timeout.
func (w *Watcher) resolve(ctx context.Context) ([]string, error) {
	limited, cancel := context.WithTimeout(ctx, w.opts.Timeout)
	defer cancel()
	servers, err := resolve(limited, w.resolver, w.opts.MaxServers)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("discovery: no answer within Options.Timeout: %w", err)
	}
	return servers, err
}

// succeeded notes the servers that the client has from now on.
func (w *Watcher) succeeded(servers []string) {
	w.mu.Lock()
	before, failures := w.status.Servers, w.status.Failures
	changed := !slices.Equal(before, servers)
	w.status.Checked = time.Now()
	w.status.Failures, w.status.Err = 0, nil
	if changed {
		w.status.Servers, w.status.Changed = servers, w.status.Checked
	}
	w.mu.Unlock()
	if failures > 0 {
		w.opts.Logger.Info("discovery: resolution succeeds again", "failures", failures)
	}
	if !changed {
		return
	}
	w.opts.Logger.Info("discovery: servers changed", "servers", len(servers), "added", missing(before, servers), "removed", missing(servers, before))
	if w.opts.OnChange != nil {
		w.opts.OnChange(before, slices.Clone(servers))
	}
}

// failed notes that the client keeps its servers because of err.
func (w *Watcher) failed(err error) {
	w.mu.Lock()
	w.status.Checked = time.Now()
	w.status.Failures++
	w.status.Err = err
	first := w.status.Failures == 1
	w.mu.Unlock()
	if errors.Is(err, memcached.ErrClosed) {
		w.opts.Logger.Info("discovery: the client is closed")
	} else if first {
		w.opts.Logger.Warn("discovery: resolution fails, the servers stay as they are", "error", err)
	}
}

// missing returns what is in b and not in a.
func missing(a, b []string) []string {
	var m []string
	for _, s := range b {
		if _, found := slices.BinarySearch(a, s); !found {
			m = append(m, s)
		}
	}
	return m
}
