package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// flaky is a network on which servers can be switched off.
type flaky struct {
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
	mu    sync.Mutex
	off   map[string]bool
	dials atomic.Int32
}

func newFlaky(servers ...*memcachedtest.Server) *flaky {
	return &flaky{dial: memcachedtest.Dialer(servers...), off: map[string]bool{}}
}

func (f *flaky) set(s *memcachedtest.Server, off bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.off[s.Addr()] = off
}

func (f *flaky) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	f.dials.Add(1)
	f.mu.Lock()
	off := f.off[address]
	f.mu.Unlock()
	if off {
		return nil, errors.New("connection refused")
	}
	return f.dial(ctx, network, address)
}

func TestDeadServer_FailsFastAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		network := newFlaky(server)
		client := newClient(t, memcached.Options{DialContext: network.DialContext}, server)
		network.set(server, true)
		for range 1000 {
			start := time.Now()
			_, err := client.Get(t.Context(), "k")
			if !errors.Is(err, memcached.ErrUnavailable) || !strings.Contains(err.Error(), server.Addr()) {
				t.Fatalf("Get = %v, want ErrUnavailable that names the server", err)
			}
			if took := time.Since(start); took > 0 {
				t.Fatalf("Get took %v, want no time", took)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if n := network.dials.Load(); n > 20 {
			t.Errorf("%d connection attempts in 10 s, want pauses of up to RetryAfter", n)
		}
		if !client.Stats().Servers[server.Addr()].Down {
			t.Error("Stats: the server is not down")
		}
		network.set(server, false)
		time.Sleep(time.Second)
		set(t, client, "k", "v")
		wantValue(t, client, "k", "v")
		if client.Stats().Servers[server.Addr()].Down {
			t.Error("Stats: the server is still down")
		}
	})
}

func TestDeadServer_LeavesOthersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := []*memcachedtest.Server{newServer(t, nil), newServer(t, nil), newServer(t, nil)}
		network := newFlaky(servers...)
		client := newClient(t, memcached.Options{DialContext: network.DialContext}, servers...)
		var keys []string
		for i := range 300 {
			keys = append(keys, fmt.Sprintf("k%d", i))
			set(t, client, keys[i], "v")
		}
		onDead := len(servers[1].Keys())
		network.set(servers[1], true)
		servers[1].Close()
		items, err := client.GetMulti(t.Context(), keys)
		var multi *memcached.MultiError
		if !errors.As(err, &multi) || len(multi.Errors) != onDead || len(items) != len(keys)-onDead {
			t.Fatalf("GetMulti = %d items, %d errors, want %d and %d", len(items), len(multi.Errors), len(keys)-onDead, onDead)
		}
		for key, err := range multi.Errors {
			if !errors.Is(err, memcached.ErrUnavailable) || !strings.Contains(err.Error(), servers[1].Addr()) || items[key] != nil {
				t.Errorf("error of %q = %v, want ErrUnavailable that names the dead server", key, err)
			}
		}
		if err := client.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), servers[1].Addr()) {
			t.Errorf("Ping = %v, want the dead server named", err)
		}
	})
}

func TestEjectAfter_MovesKeysAndTakesThemBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := []*memcachedtest.Server{newServer(t, nil), newServer(t, nil), newServer(t, nil)}
		network := newFlaky(servers...)
		client := newClient(t, memcached.Options{DialContext: network.DialContext, EjectAfter: 2}, servers...)
		network.set(servers[0], true)
		key := ""
		for i := 0; key == ""; i++ { // a key of the dead server
			k := fmt.Sprintf("k%d", i)
			if _, err := client.Get(t.Context(), k); errors.Is(err, memcached.ErrUnavailable) {
				key = k
			}
		}
		for !client.Stats().Servers[servers[0].Addr()].Ejected {
			time.Sleep(100 * time.Millisecond)
			_, _ = client.Get(t.Context(), key)
		}
		set(t, client, key, "elsewhere")
		wantValue(t, client, key, "elsewhere")
		network.set(servers[0], false)
		time.Sleep(1100 * time.Millisecond)
		if s := client.Stats().Servers[servers[0].Addr()]; s.Ejected || s.Down {
			t.Fatalf("server after its return: %+v", s)
		}
		if _, err := client.Get(t.Context(), key); err != memcached.ErrCacheMiss {
			t.Errorf("Get = %v, want the key back on its own server", err)
		}
	})
}

func TestWrongPassword_NoRetryStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, &memcachedtest.Options{Users: map[string]string{"app": "right"}})
		network := newFlaky(server)
		client := newClient(t, memcached.Options{
			Auth: sasl.Auto("app", "a-wrong-password"), DialContext: network.DialContext,
		}, server)
		for range 500 {
			err := client.Set(t.Context(), &memcached.Item{Key: "k"})
			if !errors.Is(err, memcached.ErrAuth) {
				t.Fatalf("Set = %v, want ErrAuth", err)
			}
			if s := fmt.Sprintf("%v %+v", err, err); !strings.Contains(s, server.Addr()) || strings.Contains(s, "a-wrong-password") {
				t.Fatalf("Set = %s, want the server named and no password", s)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if n := network.dials.Load(); n > 12 {
			t.Errorf("%d attempts in 5 s, want pauses of up to RetryAfter", n)
		}
	})
}

func TestHandshake_SaysWhatIsWrong(t *testing.T) {
	secured := &memcachedtest.Options{Users: map[string]string{"app": "secret"}}
	tests := []struct {
		name   string
		server *memcachedtest.Options
		opts   memcached.Options
		want   error
		text   string
	}{
		{"no SASL on the server", nil, memcached.Options{Auth: sasl.Plain("app", "secret")}, memcached.ErrAuth, "does not offer SASL"},
		{"no credentials", secured, memcached.Options{}, memcached.ErrAuth, "set Options.Auth"},
		{
			"mechanism not offered", &memcachedtest.Options{Users: secured.Users, Mechanisms: []string{"PLAIN"}},
			memcached.Options{Auth: sasl.ScramSHA256("app", "secret")},
			memcached.ErrAuth, "PLAIN",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, tt.server)
				client := newClient(t, tt.opts, server)
				_, err := client.Get(t.Context(), "k")
				if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
					t.Errorf("Get = %v, want %v with %q", err, tt.want, tt.text)
				}
			})
		})
	}
}

// answerWith returns a dial function whose server answers the first bytes with
// the given text, or not at all.
func answerWith(text string, closes bool) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			b := make([]byte, 1024)
			if _, err := server.Read(b); err != nil {
				return
			}
			_, _ = server.Write([]byte(text))
			if !closes {
				_, _ = server.Read(b)
			}
		}()
		return client, nil
	}
}

func TestHandshake_OtherProtocols(t *testing.T) {
	tests := []struct {
		name   string
		answer string
		closes bool
		text   string
	}{
		{"text-only server", "", false, "only the text protocol"},
		{"closed", "", true, "closed the connection"},
		{"out of connections", "ERROR Too many open connections\r\n", true, "Too many open connections"},
		{"TLS port", "\x15\x03\x01\x00\x02\x02\x46", true, "set Options.TLS"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, err := memcached.New([]string{"cache"}, &memcached.Options{DialContext: answerWith(tt.answer, tt.closes)})
				if err != nil {
					t.Fatal(err)
				}
				defer client.Close()
				start := time.Now()
				_, err = client.Get(t.Context(), "k")
				if !errors.Is(err, memcached.ErrUnavailable) || !strings.Contains(err.Error(), tt.text) || !strings.Contains(err.Error(), "cache") {
					t.Errorf("Get = %v, want ErrUnavailable with %q", err, tt.text)
				}
				if took := time.Since(start); took > time.Second {
					t.Errorf("Get took %v, want at most Options.Timeout", took)
				}
			})
		})
	}
}

func TestSetServers_UnderLoadCausesNoError(t *testing.T) {
	a, b, c := newServer(t, nil), newServer(t, nil), newServer(t, nil)
	client := newClient(t, memcached.Options{}, a, b, c)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var ops atomic.Int64
	for g := range 16 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				key := fmt.Sprintf("k%d-%d", g, i%50)
				if err := client.Set(t.Context(), &memcached.Item{Key: key, Value: []byte(key)}); err != nil {
					t.Errorf("Set = %v", err)
					return
				}
				item, err := client.Get(t.Context(), key)
				if err != nil && err != memcached.ErrCacheMiss || err == nil && string(item.Value) != key {
					t.Errorf("Get = %v, %v", item, err)
					return
				}
				if _, err := client.GetMulti(t.Context(), []string{key, "x", "y", "z"}); err != nil {
					t.Errorf("GetMulti = %v", err)
					return
				}
				ops.Add(1)
			}
		})
	}
	sets := [][]string{{a.Addr()}, {b.Addr(), c.Addr()}, {a.Addr(), c.Addr()}, {a.Addr(), b.Addr(), c.Addr()}}
	for i := range 200 {
		if err := client.SetServers(sets[i%len(sets)]); err != nil {
			t.Fatalf("SetServers = %v", err)
		}
		for before := ops.Load(); ops.Load() < before+20 && !t.Failed(); {
			time.Sleep(100 * time.Microsecond)
		}
	}
	stop()
	wg.Wait()
}

func TestIdleTimeout_ClosesConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{IdleTimeout: time.Minute}, server)
		set(t, client, "k", "v")
		time.Sleep(59 * time.Second)
		if n := client.Stats().Servers[server.Addr()].Conns; n != 1 {
			t.Errorf("%d connections before IdleTimeout, want 1", n)
		}
		time.Sleep(2 * time.Second)
		if n := client.Stats().Servers[server.Addr()].Conns; n != 0 {
			t.Errorf("%d connections after IdleTimeout, want 0", n)
		}
		wantValue(t, client, "k", "v")
	})
}
