package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The curve is the matrix of what may decide how fast a client is: the work, the
// number of callers, the client's processors, the server's threads, the network
// and whether processors halt, for this client, for variants of it and for
// peers.

// curveGroup is a picture of the curve: everything but the number of callers.
type curveGroup struct {
	Op      string // a workload, "page" or "session"
	Procs   int    // GOMAXPROCS of the client
	Threads int    // of memcached; Redis has one
	Delay   time.Duration
	Awake   bool
}

func (g curveGroup) title() string {
	title := map[string]string{"page": "page of 2 KB", "session": "session that is only read"}[g.Op]
	if w, ok := workloadByName(g.Op); ok {
		title = w.title
	}
	title += fmt.Sprintf(", GOMAXPROCS %d, memcached with %s", g.Procs, counted(g.Threads, "thread"))
	if g.Delay > 0 {
		title += fmt.Sprintf(", a round trip longer by %v", g.Delay)
	}
	if g.Awake {
		title += ", processors kept awake"
	}
	return title
}

// row names the measurement of the group with that many callers.
func (g curveGroup) row(callers int) string {
	name := fmt.Sprintf("%s%d procs%d threads%d", g.Op, callers, g.Procs, g.Threads)
	if g.Delay > 0 {
		name += " delay" + g.Delay.String()
	}
	if g.Awake {
		name += " " + awakeSuffix
	}
	return name
}

// web tells whether it is about an application that wrk loads.
func (g curveGroup) web() bool { return g.Op == "page" || g.Op == "session" }

// groups are all combinations of what the flags list, the work outermost, or with
// each those that differ from the first in one thing.
func (c *curveOptions) groups() []curveGroup {
	groups := c.combinations()
	if !c.each {
		return groups
	}
	first := groups[0]
	return slices.DeleteFunc(groups, func(g curveGroup) bool { return g.differences(first) > 1 })
}

// differences counts in how many things the group differs from another.
func (g curveGroup) differences(from curveGroup) int {
	n := 0
	for _, differs := range []bool{
		g.Op != from.Op, g.Procs != from.Procs, g.Threads != from.Threads, g.Delay != from.Delay, g.Awake != from.Awake,
	} {
		if differs {
			n++
		}
	}
	return n
}

func (c *curveOptions) combinations() []curveGroup {
	var groups []curveGroup
	for _, op := range c.ops {
		for _, procs := range c.procs {
			for _, threads := range c.threads {
				for _, delay := range c.delays {
					for _, awake := range c.awake {
						groups = append(groups, curveGroup{op, procs, threads, delay, awake})
					}
				}
			}
		}
	}
	return groups
}

// curveRows are the measurements, each a row. programs are those of the variants,
// by name.
func (c *curveOptions) curveRows(programs map[string][]string) []row {
	var rows []row
	for _, group := range c.groups() {
		who := c.contestants(group)
		for _, callers := range c.callers {
			rows = append(rows, row{
				Name: group.row(callers), Title: group.title(), Callers: callers, Unit: "ops/s", Peers: who, Baseline: who[len(who)-1], Awake: group.Awake,
				measure: func(e *env, name string, t timing) (map[string]float64, error) {
					program, peer := programs[name], name
					if program != nil {
						peer = ours
					} else {
						var err error
						if program, err = thisProgram(); err != nil {
							return nil, err
						}
					}
					return e.measureCell(group, callers, program, peer, t)
				},
			})
		}
	}
	return rows
}

// contestants are this client, its variants, and the peers; the last is what
// others are shown relative to.
func (c *curveOptions) contestants(g curveGroup) []string {
	who := append([]string{ours}, c.variants...)
	switch g.Op {
	case "page":
		return append(who, ginCacheRedis, ginContribCache)
	case "session":
		return append(who, ginContribRedis, ginContribSession)
	}
	peers := slices.DeleteFunc(slices.Clone(c.peers), func(p string) bool { return p == ours || p == gomemcache })
	return append(append(who, peers...), gomemcache)
}

// measureCell measures a contestant in a process of its own.
func (e *env) measureCell(g curveGroup, callers int, program []string, name string, t timing) (map[string]float64, error) {
	peer := cmp.Or(peerByName(name), Peer(gomemcachePeer{}))
	s, err := e.withThreads(g.Threads)
	if err == nil && (isOnRedis(peer) || slices.Contains(webOnRedis, name)) {
		s, err = e.redis(false)
	}
	if err != nil {
		return nil, err
	}
	procs := fmt.Sprintf("GOMAXPROCS=%d", g.Procs)
	if g.web() {
		if s, err = e.delayed(s, g.Delay); err != nil {
			return nil, err
		}
		p, err := startApp(e.ctx, anywhere, program, appOrder{Kind: g.Op, Peer: name, Server: s.addrs[0]}, procs)
		if err != nil {
			return nil, err
		}
		return p.measure(e.ctx, anywhere, callers, t)
	}
	w, _ := workloadByName(g.Op)
	if _, err := e.dataOf(peer, s, w); err != nil {
		return nil, err
	}
	if s, err = e.delayed(s, g.Delay); err != nil {
		return nil, err
	}
	order := loadOrder{Peer: name, Server: s.addrs[0], Load: g.Op, Callers: callers, Warmup: t.warmup, Duration: t.duration}
	return runLoad(e.ctx, program, order, procs)
}

// buildVariants builds a program for each variant. remove deletes them.
func (c *curveOptions) buildVariants(ctx context.Context) (programs map[string][]string, remove func() error, err error) {
	folder, err := os.MkdirTemp("", "bench-variants")
	if err != nil {
		return nil, nil, err
	}
	programs = map[string][]string{}
	for i, text := range c.variants {
		own := filepath.Join(folder, fmt.Sprint(i))
		if err = os.Mkdir(own, 0o700); err != nil {
			break
		}
		var program string
		if program, err = buildVariant(ctx, own, strings.TrimSpace(text)); err != nil {
			break
		}
		programs[text] = []string{program}
	}
	remove = func() error { return os.RemoveAll(folder) }
	if err != nil {
		return nil, nil, errors.Join(err, remove())
	}
	return programs, remove, nil
}
