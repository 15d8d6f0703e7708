package main

import (
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

func TestStatus_CountsWhatTheSiteDoes(t *testing.T) {
	s, base := start(t)
	b := newBrowser(t, base)
	b.get(eddystone)
	b.get(eddystone)
	b.get("/")
	eventually(t, "two pages were made and one was a hit", func() bool {
		var hits, misses, ops uint64
		for _, one := range decode[statusPage](t, b.get("/status.json")).Samples {
			hits, misses = hits+one.Hits, misses+one.Misses
			for _, n := range one.Ops {
				ops += n
			}
		}
		return hits == 1 && misses == 2 && ops > 0
	})
	status := decode[statusPage](t, b.get("/status.json"))
	var items uint64
	for i, server := range status.Servers {
		items += server.Items
		if server.Addr != s.backend.addrs[i] || server.State != "up" || server.Version == "" {
			t.Errorf("server %d is %+v, want %s up, with a version", i, server, s.backend.addrs[i])
		}
	}
	if items == 0 || status.Hits == 0 || status.Gets < status.Hits {
		t.Errorf("%d items, %d hits of %d gets, want some of each", items, status.Hits, status.Gets)
	}
}

func TestMeter_Samples(t *testing.T) {
	m := newMeter()
	op := memcached.Op{Name: "get", Keys: 1, Server: "a"}
	for _, err := range []error{nil, memcached.ErrCacheMiss, memcached.ErrUnavailable} {
		m.OpEnd(m.OpStart(t.Context(), op), op, err)
	}
	looks := memcached.Op{Name: "stats", Server: "a"}
	m.OpEnd(m.OpStart(t.Context(), looks), looks, nil)
	m.end(time.Now(), memcached.Stats{Gets: 4, Hits: 3})
	m.end(time.Now(), memcached.Stats{Gets: 4, Hits: 3})

	got := m.history()
	if len(got) != 2 || got[0].Ops["a"] != 3 || got[0].Errors != 1 || got[0].Median == nil || got[0].P99 == nil {
		t.Fatalf("samples = %+v, want two, the first with 3 operations and 1 error", got)
	}
	if got[0].HitRatio == nil || *got[0].HitRatio != 0.75 {
		t.Errorf("hit ratio = %v, want 0.75", got[0].HitRatio)
	}
	if got[1].HitRatio != nil || got[1].Median != nil || len(got[1].Ops) != 0 {
		t.Errorf("a second without operations is %+v", got[1])
	}
	for range 2 * sampleCount {
		m.end(time.Now(), memcached.Stats{})
	}
	if got := len(m.history()); got != sampleCount {
		t.Errorf("%d samples are kept, want %d", got, sampleCount)
	}
}

func TestQuantiles(t *testing.T) {
	timings := make([]time.Duration, 100)
	for i := range timings {
		timings[i] = time.Duration(100-i) * time.Millisecond
	}
	median, p99 := quantiles(timings)
	if *median != 50 || *p99 != 99 {
		t.Errorf("quantiles of 1 to 100 ms = %v, %v ms, want 50, 99", *median, *p99)
	}
}
