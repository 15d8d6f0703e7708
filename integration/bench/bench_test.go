package main

import (
	"fmt"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
)

// start returns the environment of a benchmark.
func start(b *testing.B) *env {
	b.Helper()
	e, err := newEnv(b.Context(), serverOptions{image: "memcached:1.6"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := e.close(); err != nil {
			b.Error(err)
		}
	})
	return e
}

// loadedFor returns what a peer is a client for, with the data of a workload.
func loadedFor(b *testing.B, e *env, peer string, w workload) (*server, *dataset) {
	b.Helper()
	s, err := e.serverOf(peerByName(peer))
	if err != nil {
		b.Fatal(err)
	}
	data, err := e.dataOf(peerByName(peer), s, w)
	if err != nil {
		b.Fatal(err)
	}
	return s, data
}

// single runs one workload with one caller for every contestant.
func single(b *testing.B, load string, contestants []string) {
	e := start(b)
	w, _ := workloadByName(load)
	for _, name := range contestants {
		b.Run(name, func(b *testing.B) {
			s, data := loadedFor(b, e, name, w)
			c, err := peerByName(name).Open(s.addrs, 1)
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			caller := newWorker(w, data, 0)
			if err := w.do(c, caller); err != nil { // connects
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := w.do(c, caller); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkGet(b *testing.B)      { single(b, "get", allClients) }
func BenchmarkSet(b *testing.B)      { single(b, "set", allClients) }
func BenchmarkGetMulti(b *testing.B) { single(b, "getmulti", multiClients) }
func BenchmarkSetMulti(b *testing.B) { single(b, "setmulti", multiClients) }

// BenchmarkParallelGet is Get with 64 callers for each processor.
func BenchmarkParallelGet(b *testing.B) {
	const callers = 64
	e := start(b)
	for _, name := range allClients {
		b.Run(name, func(b *testing.B) {
			s, data := loadedFor(b, e, name, workloads[0])
			c, err := peerByName(name).Open(s.addrs, 4*callers)
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			b.ReportAllocs()
			b.SetParallelism(callers)
			b.RunParallel(func(pb *testing.PB) {
				caller := newWorker(workloads[0], data, b.N)
				for pb.Next() {
					if err := doGet(c, caller); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// BenchmarkOurs is what only this client offers.
func BenchmarkOurs(b *testing.B) {
	e := start(b)
	data, err := e.data(100)
	if err != nil {
		b.Fatal(err)
	}
	c, err := memcached.New(e.server.addrs, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	key := data.keys[0]
	b.Run("AppendValue", func(b *testing.B) {
		buf := make([]byte, 0, 128)
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := c.AppendValue(b.Context(), buf, key); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Miss", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Get(b.Context(), "bench:absent"); err != memcached.ErrCacheMiss {
				b.Fatal(err)
			}
		}
	})
	b.Run("Touch", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := c.Touch(b.Context(), key, 0); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Increment", func(b *testing.B) {
		if _, err := c.IncrementOrSet(b.Context(), "bench:counter", 1, 1, 0); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Increment(b.Context(), "bench:counter", 1); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRing builds and asks rings of several sizes.
func BenchmarkRing(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		servers := manyServers(n)
		b.Run(fmt.Sprintf("build/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				memcached.Ketama(servers)
			}
		})
		b.Run(fmt.Sprintf("pick/%d", n), func(b *testing.B) {
			pick := memcached.Ketama(servers)
			b.ReportAllocs()
			for b.Loop() {
				pick("bench:16384:00100:00001234")
			}
		})
	}
}
