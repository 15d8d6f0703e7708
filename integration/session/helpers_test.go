// Package session_test runs package session on real memcached, with other
// people's libraries and in a real browser.
package session_test

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/bmemcached/bmemcached-go/session"
	"github.com/gin-gonic/gin"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode)
	gin.DefaultWriter = io.Discard // the published tester logs every request
	os.Exit(m.Run())
}

const (
	username = "app"
	password = "sec:ret with spaces"
)

var authKey = []byte("0123456789abcdef0123456789abcdef")

// newStore returns a store that keeps sessions by client.
func newStore(t *testing.T, client session.Client, opts *session.Options, keys ...[]byte) *session.Store {
	t.Helper()
	store, err := session.New(client, opts, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// start starts n servers that ask for authentication.
func start(t *testing.T, n int) []*integration.Server {
	t.Helper()
	servers := make([]*integration.Server, n)
	for i := range servers {
		servers[i] = integration.Start(t, &integration.Options{Users: map[string]string{username: password}})
	}
	return servers
}

// connect returns a client of servers that start made.
func connect(t *testing.T, servers ...*integration.Server) *memcached.Client {
	t.Helper()
	var addrs []string
	for _, server := range servers {
		addrs = append(addrs, server.Addr())
	}
	client, err := memcached.New(addrs, &memcached.Options{Auth: sasl.Auto(username, password), TLS: servers[0].TLSConfig(), Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// person is a client of a site, with a cookie jar.
type person struct {
	t      testing.TB
	client *http.Client
	base   string
}

func newPerson(t testing.TB, base string) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &person{t: t, base: base, client: &http.Client{Jar: jar, Timeout: time.Minute}}
}

// serve serves a site until the test ends, and returns its address.
func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	site := httptest.NewServer(handler)
	t.Cleanup(site.Close)
	return site.URL
}

// get returns the status and the body of a page.
func (p *person) get(path string) (int, string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, p.base+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	res, err := p.client.Do(r)
	if err != nil {
		p.t.Error(err)
		return 0, ""
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Error(err)
	}
	return res.StatusCode, string(body)
}

// want fails the test unless a page has the body.
func (p *person) want(path, want string) {
	p.t.Helper()
	if status, got := p.get(path); status != http.StatusOK || got != want {
		p.t.Errorf("%s = %d %q, want %q", path, status, got, want)
	}
}

// thief is somebody who has copied the cookies.
func (p *person) thief() *person {
	p.t.Helper()
	c := newPerson(p.t, p.base)
	c.client.Jar.SetCookies(p.url(), p.client.Jar.Cookies(p.url()))
	return c
}

// cookies returns the value of a cookie.
func (p *person) cookie(name string) string {
	for _, c := range p.client.Jar.Cookies(p.url()) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

func (p *person) url() *url.URL {
	u, err := url.Parse(p.base)
	if err != nil {
		p.t.Fatal(err)
	}
	return u
}

// parallel runs f for 0 to n-1, up to width at a time.
func parallel(n, width int, f func(i int)) {
	var wg sync.WaitGroup
	next := make(chan int)
	for range width {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}
