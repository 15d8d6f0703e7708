package store_test

import (
	"context"
	"sync"
	"syscall"
	"testing"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	memcached "github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/store"
)

func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(0, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkZZ(b *testing.B) {
	client, err := memcached.New([]string{"127.0.0.1:21600"}, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	s := store.New(client)
	p := prefixed(client, "p:")
	ctx := context.Background()
	v := make([]byte, 100)
	s.Set(ctx, "k", v)
	p.Set(ctx, "k", v)
	p.Set(ctx, "t", v, libstore.WithTags([]string{"t"}))
	s.Set(ctx, "t", v, libstore.WithTags([]string{"t"}))
	s.Set(ctx, "ttl", v, libstore.WithExpiration(time.Hour))
	client.Set(ctx, &memcached.Item{Key: "raw", Value: v})
	for _, c := range []struct {
		name string
		f    func()
	}{
		{"raw Get", func() { client.Get(ctx, "raw") }},
		{"store Get", func() { s.Get(ctx, "k") }},
		{"store Get ttl", func() { s.Get(ctx, "ttl") }},
		{"raw Set", func() { client.Set(ctx, &memcached.Item{Key: "raw", Value: v}) }},
		{"store Set", func() { s.Set(ctx, "k", v) }},
		{"store Set ttl", func() { s.Set(ctx, "k", v, libstore.WithExpiration(time.Hour)) }},
		{"prefix Get", func() { p.Get(ctx, "k") }},
		{"prefix Set", func() { p.Set(ctx, "k", v) }},
		{"tagged Get", func() { s.Get(ctx, "t") }},
		{"tagged Set", func() { s.Set(ctx, "t", v, libstore.WithTags([]string{"t"})) }},
		{"prefix tagged Get", func() { p.Get(ctx, "t") }},
	} {
		for _, callers := range []int{1, 64} {
			b.Run(c.name+"/"+map[int]string{1: "1", 64: "64"}[callers], func(b *testing.B) {
				b.ReportAllocs()
				before := cpu()
				var wg sync.WaitGroup
				for range callers {
					wg.Go(func() {
						for range b.N / callers {
							c.f()
						}
					})
				}
				wg.Wait()
				b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}
