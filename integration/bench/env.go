package main

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"os/exec"
	"slices"
	"sync"
)

// clusterSize is how many addresses the server of the scale rows has.
const clusterSize = 64

// env is what the rows of a run share. It starts things when they are first
// needed; close ends them.
type env struct {
	ctx                       context.Context
	options                   serverOptions
	server                    *server
	many                      *server             // clusterSize addresses; nil until a row asks
	aside                     *server             // on all processors but the first; nil until a row asks
	redisAnywhere, redisAside *server             // Redis; nil until a row asks
	threaded                  map[int]*server     // with other numbers of threads
	proxies                   map[string]*server  // by what they delay, and by how much
	loaded                    map[string]*dataset // by address and data set
}

// newEnv starts the server.
func newEnv(ctx context.Context, opts serverOptions) (*env, error) {
	s, err := startServer(ctx, opts, 1)
	if err != nil {
		return nil, err
	}
	return &env{
		ctx: ctx, options: opts, server: s,
		threaded: map[int]*server{}, proxies: map[string]*server{}, loaded: map[string]*dataset{},
	}, nil
}

// data returns the usual data set of that value size, stored in the server.
func (e *env) data(size int) (*dataset, error) { return e.load(e.server, size, keyCount) }

// serverOf returns what a peer is a client for.
func (e *env) serverOf(p Peer) (*server, error) {
	if isOnRedis(p) {
		return e.redis(false)
	}
	return e.server, nil
}

// dataOf returns a workload's data set, stored in s, which a peer is a client
// for.
func (e *env) dataOf(p Peer, s *server, w workload) (*dataset, error) {
	d := newDataset(w.size, cmp.Or(w.keys, keyCount))
	if isOnRedis(p) {
		return e.loadWith(goredisPeer{}, s, d)
	}
	return e.loadWith(gomemcachePeer{}, s, d)
}

// load returns a data set that s holds.
func (e *env) load(s *server, size, count int) (*dataset, error) {
	return e.loadWith(gomemcachePeer{}, s, newDataset(size, count))
}

// loadWith stores d through peer, unless that happened before.
func (e *env) loadWith(peer Peer, s *server, d *dataset) (*dataset, error) {
	id := s.addrs[0] + d.keys[0]
	if loaded, ok := e.loaded[id]; ok {
		return loaded, nil
	}
	const callers = 8
	c, err := peer.Open(s.addrs[:1], callers)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var wg sync.WaitGroup
	errs := make([]error, callers)
	for i := range callers {
		wg.Go(func() { errs[i] = d.preload(c, i, callers) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	e.loaded[id] = d
	return d, nil
}

// cluster returns a memcached with many addresses, each of which clients take
// for a server of its own.
func (e *env) cluster() (*server, error) {
	if e.many != nil {
		return e.many, nil
	}
	if e.options.addr != "" || len(e.server.addrs) == 0 {
		return nil, errNoCluster
	}
	s, err := startServer(e.ctx, e.options, clusterSize)
	if err != nil {
		return nil, err
	}
	if len(s.addrs) < clusterSize {
		return nil, errors.Join(errNoCluster, s.stop())
	}
	e.many = s
	return s, nil
}

// errNoCluster is what rows of many servers end with where only a running
// server or a container is at hand.
var errNoCluster = errors.New("bench: rows of several servers need a memcached on PATH")

// apart returns a memcached that leaves the first processor alone.
func (e *env) apart() (*server, error) {
	if e.aside != nil {
		return e.aside, nil
	}
	path, err := exec.LookPath("memcached")
	if err != nil || e.options.addr != "" || !canPin() {
		return nil, errNoCPU
	}
	e.aside, err = startBinary(e.ctx, otherCPUs(), path, serverThreads, 1)
	return e.aside, err
}

// withThreads returns a memcached with that many threads.
func (e *env) withThreads(n int) (*server, error) {
	if n == serverThreads {
		return e.server, nil
	}
	if e.threaded[n] != nil {
		return e.threaded[n], nil
	}
	path, err := exec.LookPath("memcached")
	if err != nil || e.options.addr != "" {
		return nil, errors.New("bench: other numbers of threads need a memcached on PATH")
	}
	s, err := startBinary(e.ctx, anywhere, path, n, 1)
	if err != nil {
		return nil, err
	}
	e.threaded[n] = s
	return s, nil
}

func (e *env) close() error {
	var errs []error
	servers := slices.Collect(maps.Values(e.proxies))
	servers = slices.AppendSeq(servers, maps.Values(e.threaded))
	for _, s := range append(servers, e.server, e.many, e.aside, e.redisAnywhere, e.redisAside) {
		if s != nil {
			errs = append(errs, s.stop())
		}
	}
	return errors.Join(errs...)
}
