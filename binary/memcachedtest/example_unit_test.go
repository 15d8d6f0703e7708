package memcachedtest_test

import (
	"context"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// What follows is how a program's own unit tests look: the code that is tested,
// and tests of it on a good day, as time goes by, and on a bad day.

// prices are looked up in the cache, and computed when it does not have them.
type prices struct {
	cache   *memcached.Client
	compute func(article string) string
}

func (p *prices) of(ctx context.Context, article string) string {
	if item, err := p.cache.Get(ctx, "price:"+article); err == nil {
		return string(item.Value)
	}
	price := p.compute(article)
	_ = p.cache.Set(ctx, &memcached.Item{Key: "price:" + article, Value: []byte(price), TTL: time.Minute})
	return price
}

func newPrices(t *testing.T) (p *prices, server *memcachedtest.Server, computed *int) {
	server = memcachedtest.Start(t, nil)
	client, err := memcached.New([]string{server.Addr()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	computed = new(int)
	return &prices{cache: client, compute: func(string) string {
		*computed++
		return "12 €"
	}}, server, computed
}

func TestPrices_AreComputedOncePerMinute(t *testing.T) {
	p, server, computed := newPrices(t)
	for range 3 {
		if got := p.of(t.Context(), "print"); got != "12 €" {
			t.Errorf("of(print) = %q, want 12 €", got)
		}
	}
	if *computed != 1 {
		t.Errorf("computed %d times, want once", *computed)
	}
	server.Advance(2 * time.Minute)
	p.of(t.Context(), "print")
	if *computed != 2 {
		t.Errorf("computed %d times after two minutes, want twice", *computed)
	}
}

func TestPrices_DoNotNeedTheCache(t *testing.T) {
	p, server, computed := newPrices(t)
	server.Intercept(func(memcachedtest.Request) memcachedtest.Action {
		return memcachedtest.Action{Status: memcached.StatusOutOfMemory}
	})
	if got := p.of(t.Context(), "print"); got != "12 €" {
		t.Errorf("of(print) with a full cache = %q, want 12 €", got)
	}
	server.Stop()
	if got := p.of(t.Context(), "print"); got != "12 €" || *computed != 2 {
		t.Errorf("of(print) without a cache = %q, computed %d times, want 12 €, twice", got, *computed)
	}
}

func TestPrices_AreStoredForAMinute(t *testing.T) {
	p, server, _ := newPrices(t)
	p.of(t.Context(), "print")
	item, there := server.Item("price:print")
	if !there || string(item.Value) != "12 €" || item.TTL <= 0 || item.TTL > time.Minute {
		t.Errorf("Item(price:print) = %+v, %v, want the price for a minute", item, there)
	}
}
