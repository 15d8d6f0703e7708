package composition_test

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"

	"github.com/gin-gonic/gin"
	"pgregory.net/rapid"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// oracle runs sites twice, with the cache and without, and compares what visitors see.
type oracle struct {
	client        *memcached.Client
	with, without *server
	count         struct{ sites, requests, hits int }
	wrong         func(s *site, prefix string) wrapper // in place of the cache
}

func newOracle(t *testing.T) *oracle {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	gin.DefaultErrorWriter, gin.DefaultWriter = io.Discard, io.Discard
	memory := memcachedtest.Start(t, nil)
	client, err := memcached.New([]string{memory.Addr()}, &memcached.Options{DialContext: memory.DialContext})
	if err != nil {
		t.Fatal(err)
	}
	o := &oracle{client: client, with: newServer(), without: newServer()}
	t.Cleanup(func() {
		o.with.close()
		o.without.close()
		_ = client.Close()
	})
	return o
}

// run returns what differs first, or "".
func (o *oracle) run(s *site) (string, error) {
	o.count.sites++
	prefix := fmt.Sprintf("site%d:", o.count.sites)
	var with *instance
	if o.wrong != nil {
		with = newInstance(s, o.client, prefix+"with:", o.wrong(s, prefix))
	} else {
		cache, err := newCache(s, o.client, prefix)
		if err != nil {
			return "", err
		}
		defer func() { _ = cache.Close() }()
		with = newInstance(s, o.client, prefix+"with:", cache)
	}
	o.with.handler.Store(with)
	o.without.handler.Store(newInstance(s, o.client, prefix+"without:", nil))
	got, want := newCrowd(s, o.with), newCrowd(s, o.without)
	for i := 0; i < len(s.asks); {
		n := 1
		if s.asks[i].together && i+1 < len(s.asks) && s.asks[i+1].method != http.MethodPost && s.asks[i+1].visitor != s.asks[i].visitor {
			n = 2 // of one visitor, the order would decide what the session becomes
		}
		batch := s.asks[i : i+n]
		gots, wants := got.visit(batch), want.visit(batch)
		for j, a := range batch {
			x := newExchange(s, a, gots[j], wants[j])
			o.count.requests++
			if x.hit {
				o.count.hits++
			}
			d := x.difference()
			if d != "" && x.hit && a.method == http.MethodHead {
				d = newExchange(s, a, gots[j], want.instead(a)).difference()
			}
			if d != "" {
				return fmt.Sprintf("request %d, %s\n%s", i+j+1, a, d), nil
			}
		}
		i += n
	}
	return "", nil
}

// instead asks for the page itself in place of its header: HEAD is answered from what is
// stored of GET, and handlers or layers below may have less to say to HEAD (RFC 9110,
// section 9.3.2).
func (c *crowd) instead(a ask) seen {
	a.method, a.part = http.MethodGet, ""
	page := c.visit([]ask{a})[0]
	page.raw, page.body = "", ""
	return page
}

// visit has visitors ask at once, and waits for the handlers.
func (c *crowd) visit(batch []ask) []seen {
	all := make([]seen, len(batch))
	done := make(chan struct{})
	for i, a := range batch {
		go func() {
			all[i] = c.visitors[a.visitor].visit(a)
			done <- struct{}{}
		}()
	}
	for range batch {
		<-done
	}
	c.server.wait()
	return all
}

// What one run builds, unless flags say otherwise: the same sites each time, so that a
// difference that nobody caused does not stop somebody else's work. make composition
// builds others.
const (
	checks = "250"
	seed   = "13"
)

func TestMain(m *testing.M) {
	flag.Parse()
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, value := range map[string]string{"rapid.checks": checks, "rapid.seed": seed} {
		if !given[name] {
			_ = flag.Set(name, value)
		}
	}
	os.Exit(m.Run())
}

// TestComposition_TheSiteWithTheCacheIsTheSiteWithout: random sites answer random
// requests alike, with the cache and without. What may differ is in allowances. A failure
// is shrunk to a small site, and its seed is printed:
//
//	make composition SITES=1000
//	go test ./composition -run=TheSiteWithTheCache -rapid.checks=1000 -rapid.seed=…
func TestComposition_TheSiteWithTheCacheIsTheSiteWithout(t *testing.T) {
	o := newOracle(t)
	t.Logf("seed %s", flag.Lookup("rapid.seed").Value)
	first := ""
	defer func() {
		if t.Failed() {
			t.Logf("the first that failed, before it was shrunk: %s", first)
		}
	}()
	rapid.Check(t, func(t *rapid.T) {
		s := sites.Draw(t, "site")
		difference, err := o.run(&s)
		if err != nil {
			t.Fatal(err)
		}
		if difference != "" {
			if first == "" {
				first = fmt.Sprintf("%s\n%s", s, difference)
			}
			t.Log(difference)
			t.Fatal("the site with the cache answers differently") // always the same: rapid shrinks what fails in the same way
		}
	})
	t.Logf("%d sites, %d requests, %d of them hits", o.count.sites, o.count.requests, o.count.hits)
}
