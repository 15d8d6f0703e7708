package main

import (
	"fmt"
	"slices"
	"time"
)

// getCallers are the numbers of callers of the plot.
var getCallers = []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 2048}

// regimeCallers are those of the rows that are also measured while the
// processors are kept awake.
var regimeCallers = []int{1, 2, 4, 8, 64, 512}

// delayCallers are those of the rows over a delay.
var delayCallers = []int{1, 8, 64, 512, 2048}

// rowDelay is the round trip that the rows over a delay add.
const rowDelay = time.Millisecond

// allClients is every library that can do single operations.
var allClients = []string{ours, gomemcache, mcClient, gomemcached, rueidisClient, goredisClient}

// memcachedClients are the peers for memcached.
var memcachedClients = []string{gomemcache, mcClient, gomemcached}

// multiClients is every library whose batches are worth the name.
var multiClients = []string{ours, gomemcache, gomemcached, rueidisClient, goredisClient}

// regimeClients are those of the rows with processors that are kept awake.
var regimeClients = []string{ours, gomemcache, rueidisClient, goredisClient}

// clientRows are the rows of clients alone.
func clientRows() []row {
	var rows []row
	for _, callers := range getCallers {
		who := allClients
		if callers == 512 {
			who = append(slices.Clip(who), rawLimit)
		}
		rows = append(rows, clientRow("get", callers, who))
	}
	for _, callers := range regimeCallers {
		rows = append(rows, awakeRow(clientRow("get", callers, regimeClients)))
	}
	for _, callers := range delayCallers {
		rows = append(rows, delayedRow("get", callers, rowDelay, allClients))
	}
	return append(rows,
		clientRow("set", 1, allClients),
		clientRow("set", 64, allClients),
		clientRow("mixed", 64, allClients),
		clientRow("large", 64, append([]string{ours}, memcachedClients...)),
		clientRow("getmulti", 1, append(slices.Clip(multiClients), rawMulti)),
		clientRow("getmulti", 16, append(slices.Clip(multiClients), rawMulti)),
		clientRow("setmulti", 1, multiClients),
		clientRow("setmulti", 16, multiClients),
	)
}

// clientsFor are those that a workload is measured with.
func clientsFor(w workload) []string {
	switch {
	case w.name == "get":
		return append(slices.Clip(allClients), rawLimit)
	case w.name == "getmulti":
		return append(slices.Clip(multiClients), rawMulti)
	case w.ops > 1:
		return multiClients
	}
	return allClients
}

// clientRow is workload load with that many callers.
func clientRow(load string, callers int, who []string) row {
	return delayedRow(load, callers, 0, who)
}

// delayedRow is a clientRow over connections with an added round trip.
func delayedRow(load string, callers int, delay time.Duration, who []string) row {
	w, ok := workloadByName(load)
	if !ok {
		panic("bench: no workload " + load)
	}
	r := row{
		Name:     fmt.Sprintf("%s%d", load, callers),
		Group:    groupClient,
		Title:    w.title + ", " + counted(callers, "caller"),
		Callers:  callers,
		Unit:     "ops/s",
		Baseline: gomemcache,
		Peers:    who,
		Slices:   loadSlices,
		measure: func(e *env, name string, t timing) (map[string]float64, error) {
			peer := peerByName(name)
			s, err := e.serverOf(peer)
			if err != nil {
				return nil, err
			}
			data, err := e.dataOf(peer, s, w)
			if err != nil {
				return nil, err
			}
			if s, err = e.delayed(s, delay); err != nil {
				return nil, err
			}
			return measureLoad(peer, s.addrs[:1], w, data, callers, t)
		},
	}
	if w.ops > 1 {
		r.Unit = "keys/s"
	}
	if delay > 0 {
		r.Name += "delay" + delay.String()
		r.Title += fmt.Sprintf(", a round trip longer by %v", delay)
	}
	return r
}

// awakeRow is a row measured while the processors are kept awake.
func awakeRow(r row) row {
	r.Name += awakeSuffix
	r.Title += ", processors kept awake"
	r.Awake = true
	return r
}

// awakeSuffix ends the names of rows with processors that are kept awake.
const awakeSuffix = "awake"
