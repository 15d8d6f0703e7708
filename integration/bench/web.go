package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// webConns is the number of connections that load an application.
const webConns = 64

// Names of the contestants of the web rows beside this module's packages.
const (
	webNone           = "none"
	oursSealed        = "ours, sealed"
	ginContribCache   = "gin-contrib/cache"
	ginCache          = "gin-cache"
	ginCacheRedis     = "gin-cache over Redis"
	ginContribSession = "gin-contrib/sessions"
	ginContribRedis   = "gin-contrib/sessions over Redis"
)

// builders makes an application of each kind on each contestant, over the
// memcached or the Redis with that address.
var builders = map[string]map[string]func(addr string) (*webApp, error){
	"page":    pageApps,
	"session": sessionApps,
}

// webOnRedis are the contestants over Redis.
var webOnRedis = []string{ginCacheRedis, ginContribRedis}

// manyPages is how many pages the row of many asks for in turn.
const manyPages = 1000

// webRows are the rows of whole HTTP requests, with application, memcached and
// wrk on the same processors, and with one processor for the application alone.
func webRows() []row {
	const page, session = "page of 2 KB out of the cache", "request that loads a session and saves nothing"
	caches := []string{ours, ginContribCache, oursSealed, ginCacheRedis, ginCache, webNone}
	stores := []string{ours, ginContribSession, ginContribRedis, webNone}
	return []row{
		webRow("page64", page, appOrder{Kind: "page"}, false, caches),
		webRow("page64own", page, appOrder{Kind: "page"}, true, caches),
		webRow("pages64", fmt.Sprintf("%d pages of 2 KB in turn out of the cache", manyPages),
			appOrder{Kind: "page", Pages: manyPages}, false, []string{ours, ginContribCache, oursSealed, ginCacheRedis}),
		webRow("session64", session, appOrder{Kind: "session"}, false, stores),
		webRow("session64own", session, appOrder{Kind: "session"}, true, stores),
		sealRow(),
	}
}

// webRow measures applications, the second of who being what others are shown
// relative to. With own, each has a processor to itself.
func webRow(name, work string, order appOrder, own bool, who []string) row {
	title := fmt.Sprintf("%s, %s", work, counted(webConns, "connection"))
	if own {
		title += ", the application on a processor of its own"
	}
	return row{
		Name: name, Group: groupHTTP, Title: title, Callers: webConns, Unit: "requests/s", Slices: webSlices,
		Baseline: who[1], Peers: who,
		measure: func(e *env, peer string, t timing) (map[string]float64, error) {
			o := order
			o.Peer = peer
			return measureWeb(e, o, own, t)
		},
	}
}

// webSlices is loadSlices for web rows: wrk measures for a whole second at
// least.
const webSlices = 2

// measureWeb starts an application of this program and puts load on it.
func measureWeb(e *env, order appOrder, own bool, t timing) (map[string]float64, error) {
	server, app, others := e.server, anywhere, anywhere
	var err error
	if own {
		if server, err = e.apart(); err != nil {
			return nil, err
		}
		app, others = firstCPU, otherCPUs()
	}
	if slices.Contains(webOnRedis, order.Peer) {
		if server, err = e.redis(own); err != nil {
			return nil, err
		}
	}
	program, err := thisProgram()
	if err != nil {
		return nil, err
	}
	order.Server = server.addrs[0]
	p, err := startApp(e.ctx, app, program, order)
	if err != nil {
		return nil, err
	}
	return p.measure(e.ctx, others, webConns, t)
}

// measure puts load on an application from as many connections, by a wrk on
// those processors, and ends it.
func (p *appProcess) measure(ctx context.Context, on cpus, conns int, t timing) (m map[string]float64, err error) {
	defer func() { err = errors.Join(err, p.stop()) }()
	before, err := p.ask(askCheck)
	if err != nil {
		return nil, err
	}
	load, err := runWrk(ctx, on, p.page, conns, t.duration)
	if err != nil {
		return nil, err
	}
	after, err := p.ask(askUsage)
	if err != nil {
		return nil, err
	}
	end, err := p.ask(askCheck)
	if err != nil {
		return nil, err
	}
	if again := end.Made - before.Made; again > 0 {
		return nil, fmt.Errorf("bench: the page was made %d times while it should have come from the cache", again)
	}
	win := window{
		elapsed: load.elapsed, cpu: after.CPU - before.CPU,
		mallocs: after.Mallocs - before.Mallocs, bytes: after.Bytes - before.Bytes,
	}
	m = perOp(win, load.requests)
	m[metricP50], m[metricP99] = micros(load.p50), micros(load.p99)
	return m, nil
}
