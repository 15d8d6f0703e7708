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
		{"Timeout without a unit", memcached.Options{Timeout: 60}, "Options.Timeout of 60ns: durations have units"},
		{"DialTimeout without a unit", memcached.Options{DialTimeout: 60}, "Options.DialTimeout of 60ns: durations have units"},
		{"IdleTimeout without a unit", memcached.Options{IdleTimeout: 60}, "Options.IdleTimeout of 60ns: durations have units"},
		{"ConnMaxLifetime without a unit", memcached.Options{ConnMaxLifetime: 60}, "Options.ConnMaxLifetime of 60ns: durations have units"},
		{"RetryAfter without a unit", memcached.Options{RetryAfter: 60}, "Options.RetryAfter of 60ns: durations have units"},
		{"Prefix with a space", memcached.Options{Prefix: "a b"}, "Options.Prefix"},
		{"Prefix without room", memcached.Options{Prefix: strings.Repeat("p", 250)}, "Options.Prefix"},
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
		"least": {Timeout: math.MinInt64, IdleTimeout: time.Millisecond, RetryAfter: time.Millisecond, MaxConns: 1, EjectAfter: 1, MaxItemSize: 1},
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

func TestClient_OptionsAreACopy(t *testing.T) {
	client, err := memcached.New([]string{"a"}, &memcached.Options{Weights: map[string]int{"a": 2}, TLS: &tls.Config{ServerName: "a", MinVersion: tls.VersionTLS12}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	opts := client.Options()
	if opts.Timeout != time.Second || opts.DialTimeout != 5*time.Second || opts.MaxConns != 8 || opts.IdleTimeout != 0 ||
		opts.ConnMaxLifetime != 24*time.Hour || opts.EjectAfter != 0 || opts.RetryAfter != time.Second || opts.Distribution == nil {
		t.Errorf("Options() = %+v, want the defaults that the fields name", opts)
	}
	opts.Weights["a"], opts.TLS.ServerName = 3, "b"
	if opts := client.Options(); opts.Weights["a"] != 2 || opts.TLS.ServerName != "a" {
		t.Errorf("Options() = %+v after its copy was changed, want it as before", opts)
	}
}
