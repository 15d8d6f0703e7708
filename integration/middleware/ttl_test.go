package middleware_test

import (
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// A page is a hit for the time that it states, or that Options.TTL gives it, and
// not after that, to 50 ms, whenever in a second of the server's clock it is made.
func TestTTL_IsExact(t *testing.T) {
	const exact = 50 * time.Millisecond
	client, err := memcached.New([]string{memory(t).Addr()}, &memcached.Options{Auth: sasl.Auto(username, password), Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	a, err := newApp(client, &middleware.Options{TTL: 2 * time.Second, LookupTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	site := httptest.NewServer(a.router)
	t.Cleanup(site.Close)
	var wg sync.WaitGroup
	for page := range 20 {
		wg.Go(func() {
			time.Sleep(time.Duration(page) * exact)
			url, ttl := fmt.Sprint(site.URL, "/page?id=", page), 2*time.Second
			if page%2 == 1 {
				ttl = time.Duration(1+page%3) * time.Second
				url += fmt.Sprint("&control=max-age=", int(ttl.Seconds()))
			}
			began := time.Now()
			if first, err := try(t, url); first.hit() || err != nil {
				t.Errorf("page %d: %q at once, %v", page, first.header.Get("Cache-Status"), err)
				return
			}
			done := time.Now()
			for {
				asked := time.Now()
				got, err := try(t, url)
				answered := time.Now()
				switch {
				case err != nil:
					t.Error(err)
					return
				case got.hit() && asked.Sub(done) > ttl+exact:
					t.Errorf("%v: a hit %v after it was made", ttl, asked.Sub(done))
					return
				case !got.hit():
					if answered.Sub(began) < ttl-exact {
						t.Errorf("%v: %q %v after it was made", ttl, got.header.Get("Cache-Status"), answered.Sub(began))
					}
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	wg.Wait()
}
