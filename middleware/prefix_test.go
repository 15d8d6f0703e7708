package middleware_test

import (
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// Applications share pages if their prefixes are the same, and nothing otherwise.
func TestPrefix_ApartAndTogether(t *testing.T) {
	memory := memcachedtest.Start(t, nil)
	of := func(prefix, body string) *site {
		return newSiteOn(t, memory, &middleware.Options{TTL: time.Minute, Prefix: prefix, PathTags: true}, text(body, "Cache-Tag: tag"))
	}
	shop, worker, blog := of("shop:", "shop"), of("shop:", "worker"), of("blog:", "blog")
	shop.get("/")
	if r := worker.get("/"); r.body != "shop" {
		t.Errorf("with the same prefix: %q, want the same page", r.body)
	}
	if r := blog.get("/"); r.body != "blog" {
		t.Errorf("with another prefix: %q, want its own page", r.body)
	}
	blog.purge("/")
	blog.purgeTags("tag")
	if err := blog.cache.PurgeAll(t.Context()); err != nil {
		t.Error(err)
	}
	if r := shop.get("/"); !r.hit() || r.body != "shop" {
		t.Errorf("after purges with another prefix: %q (%s), want a hit", r.body, r.cacheStatus())
	}
}
