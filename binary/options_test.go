package memcached_test

import (
	"context"
	"crypto/tls"
	"errors"
	"math"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

func TestNew_RefusesOptionsThatMakeNoSense(t *testing.T) {
	tests := []struct {
		name string
		opts memcached.Options
		want string
	}{
		{"MaxConns", memcached.Options{MaxConns: -1}, "Options.MaxConns"},
		{"MaxItemSize", memcached.Options{MaxItemSize: -1}, "Options.MaxItemSize"},
		{"MaxItemSize above memcached's own limit", memcached.Options{MaxItemSize: 1<<30 + 1}, "Options.MaxItemSize"},
		{"EjectAfter", memcached.Options{EjectAfter: -1}, "Options.EjectAfter"},
		{"RetryAfter", memcached.Options{RetryAfter: -time.Second}, "Options.RetryAfter"},
		{"IdleTimeout", memcached.Options{IdleTimeout: -time.Second}, "Options.IdleTimeout"},
		{"Weights", memcached.Options{Weights: map[string]int{"cache": 1 << 20}}, "Options.Weights"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, err := memcached.New([]string{"cache"}, &tt.opts)
			if client != nil || err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "memcached: ") {
				t.Errorf("New = %v, %v, want an error about %s", client, err, tt.want)
			}
		})
	}
}

func TestNew_TakesExtremeOptions(t *testing.T) {
	for name, opts := range map[string]*memcached.Options{
		"nil":  nil,
		"zero": {},
		"most": {
			Timeout: math.MaxInt64, IdleTimeout: math.MaxInt64, RetryAfter: math.MaxInt64,
			MaxConns: math.MaxInt32, EjectAfter: math.MaxInt, MaxItemSize: 1 << 30,
		},
		"least": {Timeout: math.MinInt64, IdleTimeout: 1, RetryAfter: 1, MaxConns: 1, EjectAfter: 1, MaxItemSize: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				network := newFlaky(server)
				var o memcached.Options
				if opts != nil {
					o = *opts
				}
				o.DialContext = network.DialContext
				client := newClient(t, o, server)
				network.set(server, true)
				_, _ = client.Get(t.Context(), "k")
				if n := network.dials.Load(); n > 5 {
					t.Errorf("%d connection attempts, want pauses between", n)
				}
				network.set(server, false)
				if o.RetryAfter < time.Hour {
					time.Sleep(2 * time.Second)
				} else {
					client = newClient(t, o, server)
				}
				for range 10 {
					set(t, client, "k", "v")
					wantValue(t, client, "k", "v")
					time.Sleep(time.Second)
				}
			})
		})
	}
}

func TestNew_CopiesWhatItIsGiven(t *testing.T) {
	server := newServer(t, nil)
	servers := []string{server.Addr()}
	opts := &memcached.Options{
		DialContext: server.DialContext, Weights: map[string]int{server.Addr(): 2},
		TLS: nil, MaxItemSize: 100,
	}
	client, err := memcached.New(servers, opts)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	servers[0] = "elsewhere"
	opts.Weights[server.Addr()] = -1
	opts.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("changed") }
	opts.MaxItemSize = 1
	opts.TLS = &tls.Config{}
	set(t, client, "k", "value")
	wantValue(t, client, "k", "value")
}

func TestNew_ConnectsOnFirstUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		network := newFlaky(server)
		client := newClient(t, memcached.Options{DialContext: network.DialContext}, server)
		time.Sleep(time.Minute)
		if n := network.dials.Load(); n != 0 {
			t.Errorf("%d connections before the first use, want none", n)
		}
		set(t, client, "k", "v")
		if n := network.dials.Load(); n != 1 {
			t.Errorf("%d connections after the first use, want 1", n)
		}
	})
}

// dialled notes what a client dials.
func dialled(t *testing.T, server string) (network, address string, err error) {
	t.Helper()
	client, err := memcached.New([]string{server}, &memcached.Options{
		DialContext: func(_ context.Context, n, a string) (net.Conn, error) {
			network, address = n, a
			return nil, errors.New("not now")
		},
	})
	if err != nil {
		return "", "", err
	}
	defer client.Close()
	_ = client.Ping(t.Context())
	return network, address, nil
}

func TestNew_ServerSyntax(t *testing.T) {
	tests := []struct{ server, network, address string }{
		{"cache", "tcp", "cache:11211"},
		{"cache:11212", "tcp", "cache:11212"},
		{"cache.example.com", "tcp", "cache.example.com:11211"},
		{"127.0.0.1", "tcp", "127.0.0.1:11211"},
		{"127.0.0.1:1", "tcp", "127.0.0.1:1"},
		{"::1", "tcp", "[::1]:11211"},
		{"[::1]", "tcp", "[::1]:11211"},
		{"[::1]:65535", "tcp", "[::1]:65535"},
		{"fe80::1%eth0", "tcp", "[fe80::1%eth0]:11211"},
		{"[fe80::1%eth0]:11212", "tcp", "[fe80::1%eth0]:11212"},
		{"::ffff:10.0.0.1", "tcp", "[::ffff:10.0.0.1]:11211"},
		{"tcp://cache", "tcp", "cache:11211"},
		{"tcp://cache:11212", "tcp", "cache:11212"},
		{"tcp://[::1]:11212", "tcp", "[::1]:11212"},
		{"/run/memcached.sock", "unix", "/run/memcached.sock"},
		{"unix:///run/memcached.sock", "unix", "/run/memcached.sock"},
		{"/run/with space:and:colons", "unix", "/run/with space:and:colons"},
	}
	for _, tt := range tests {
		network, address, err := dialled(t, tt.server)
		if err != nil || network != tt.network || address != tt.address {
			t.Errorf("New(%q) dials %q %q, %v, want %q %q", tt.server, network, address, err, tt.network, tt.address)
		}
	}
	for _, server := range []string{
		"", " ", "cache:", ":11211", "cache:0", "cache:65536", "cache:-1", "cache:+1", "cache:http", "cache:11211:11211", "a:b:c",
		"[::1", "::1]", "[]", "[]:11211", "[::1]x", "[::1]:", "[cache", "tcp://", "tcp:///path", "unix://", "unix://relative", "unix:relative",
		"http://cache", "user@cache", "user:pw@cache:11211", "ca che", "cache\n", "cache\t:1", "[not:an:address]", "[cache]:11211", "cache/path", "./relative.sock",
		"cache\x00", "[::1]:11211:1", "]", "cache]", "a,b", "a:11211,b", "cache?timeout=1s", "cache#1", `\\cache\pipe`,
	} {
		client, err := memcached.New([]string{server}, nil)
		if client != nil || err == nil || !strings.HasPrefix(err.Error(), "memcached: server") {
			t.Errorf("New(%q) = %v, %v, want an error", server, client, err)
		}
	}
}

func TestNew_RefusesServersGivenTwiceOrNotAtAll(t *testing.T) {
	for _, servers := range [][]string{
		nil, {}, {"a", "a"}, {"a", "a:11211"}, {"a", "tcp://a"}, {"::1", "[::1]:11211"}, {"/s", "unix:///s"},
	} {
		if client, err := memcached.New(servers, nil); client != nil || err == nil {
			t.Errorf("New(%q) = %v, %v, want an error", servers, client, err)
		}
	}
}

func TestMaxItemSize_RefusesLocally(t *testing.T) {
	server := newServer(t, &memcachedtest.Options{MaxItemSize: 4 << 20, MaxMemory: 64 << 20})
	tests := []struct {
		name      string
		max       int // of Options
		key       string
		flags     uint32
		value     int
		tooLarge  bool
		otherwise string
	}{
		{name: "default, just fits", key: "key", value: 1_048_514},
		{name: "default, one more", key: "key", value: 1_048_515, tooLarge: true},
		{name: "default, long key", key: strings.Repeat("k", 250), value: 1_048_267},
		{name: "default, long key, one more", key: strings.Repeat("k", 250), value: 1_048_268, tooLarge: true},
		{name: "default, flags", key: "key", flags: 1, value: 1_048_510},
		{name: "default, flags, one more", key: "key", flags: 1, value: 1_048_511, tooLarge: true},
		{name: "raised", max: 3 << 20, key: "key", value: 3 << 20},
		{name: "raised, one more", max: 3 << 20, key: "key", value: 3<<20 + 1, tooLarge: true},
		{name: "lowered", max: 10, key: "key", value: 10},
		{name: "lowered, one more", max: 10, key: "key", value: 11, tooLarge: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := newClient(t, memcached.Options{MaxItemSize: tt.max, Timeout: 10 * time.Second}, server)
			put(server, tt.key, "1")
			item, err := client.Get(t.Context(), tt.key)
			if err != nil {
				t.Fatal(err)
			}
			server.ForgetRequests()
			item.Value, item.Flags = make([]byte, tt.value), tt.flags
			errs := map[string]error{
				"CompareAndSwap": client.CompareAndSwap(t.Context(), item),
				"Set":            client.Set(t.Context(), item),
				"Replace":        client.Replace(t.Context(), item),
				"SetMulti":       client.SetMulti(t.Context(), []*memcached.Item{item}),
			}
			if tt.tooLarge {
				errs["Add"] = client.Add(t.Context(), item)
				if tt.flags == 0 {
					errs["Append"] = client.Append(t.Context(), tt.key, item.Value)
					errs["Prepend"] = client.Prepend(t.Context(), tt.key, item.Value)
				}
			}
			for name, err := range errs {
				if tt.tooLarge && !errors.Is(err, memcached.ErrTooLarge) || !tt.tooLarge && err != nil {
					t.Errorf("%s of %d bytes = %v, want too large: %v", name, tt.value, err, tt.tooLarge)
				}
			}
			if tt.tooLarge {
				wantValue(t, client, tt.key, "1") // the old value is still there
				if n := server.RequestCount("SET", "ADD", "REPLACE", "APPEND", "PREPEND", "SETQ"); n != 0 {
					t.Errorf("%d requests were sent, want none", n)
				}
				return
			}
			if got, err := client.Get(t.Context(), tt.key); err != nil || len(got.Value) != tt.value {
				t.Errorf("Get = %v, want %d bytes", err, tt.value)
			}
		})
	}
}

func TestIdleTimeout_SparesConnectionsInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{IdleTimeout: time.Second, Timeout: time.Hour}, server)
		set(t, client, "k", "v")
		server.Intercept(delays(map[string]time.Duration{"slow": 10 * time.Second}))
		_, err := client.Get(t.Context(), "slow")
		if err != memcached.ErrCacheMiss {
			t.Errorf("Get that takes longer than IdleTimeout = %v, want %v", err, memcached.ErrCacheMiss)
		}
		for range 30 {
			time.Sleep(500 * time.Millisecond)
			wantValue(t, client, "k", "v")
		}
		if n := client.Stats().Servers[server.Addr()].Dials; n != 1 {
			t.Errorf("%d connections, want 1: it was in use", n)
		}
		time.Sleep(time.Minute)
		for range 3 { // closed and opened again
			wantValue(t, client, "k", "v")
			time.Sleep(3 * time.Second)
			if n := client.Stats().Servers[server.Addr()].Conns; n != 0 {
				t.Errorf("%d idle connections, want none", n)
			}
		}
	})
}
