package memcached_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// logBuffer keeps what is logged.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func TestLogger_TellsChangesOfState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		servers := []*memcachedtest.Server{newServer(t, secured()), newServer(t, secured())}
		network := newFlaky(servers...)
		client := newClient(t, memcached.Options{
			Auth: sasl.Auto("app", "a-secret-password"), EjectAfter: 2, DialContext: network.DialContext,
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
		}, servers...)
		keys := numbered("a-secret-key", 50)
		work := func() {
			for _, key := range keys {
				_ = client.Set(t.Context(), &memcached.Item{Key: key, Value: []byte("a-secret-value")})
				_, _ = client.Get(t.Context(), key)
			}
		}
		lines := func(text, server string) (n int) {
			for line := range strings.Lines(log.String()) {
				if strings.Contains(line, text) && strings.Contains(line, server) {
					n++
				}
			}
			return n
		}
		work()
		if log.String() != "" {
			t.Errorf("while all is well the log says %q", log.String())
		}
		network.set(servers[0], true)
		servers[0].Stop()
		for range 30 {
			work()
			time.Sleep(200 * time.Millisecond)
		}
		for _, text := range []string{"server is down", "server is ejected"} {
			if n := lines(text, servers[0].Addr()); n != 1 {
				t.Errorf("the log says %q %d times, want once:\n%s", text, n, log.String())
			}
		}
		network.set(servers[0], false)
		if err := servers[0].Restart(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		work()
		if n := lines("server is back", servers[0].Addr()); n != 1 {
			t.Errorf("the log says that the server is back %d times, want once:\n%s", n, log.String())
		}
		if n := strings.Count(log.String(), servers[1].Addr()); n != 0 {
			t.Errorf("the log names the other server %d times, want never", n)
		}
		if strings.Contains(log.String(), "a-secret") {
			t.Errorf("the log tells secrets:\n%s", log.String())
		}
	})
}

// callback is a slog.Handler that uses the client whose state it is told of.
type callback struct {
	slog.Handler
	use func()
}

func (h *callback) Enabled(context.Context, slog.Level) bool { return true }

func (h *callback) Handle(context.Context, slog.Record) error { h.use(); return nil }

func TestLogger_MayUseTheClient(t *testing.T) {
	server := newServer(t, nil)
	var client *memcached.Client
	told := 0
	client = newClient(t, memcached.Options{Logger: slog.New(&callback{use: func() {
		told++
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = client.Stats()
			_, _ = client.Get(t.Context(), "k")
		}()
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			t.Error("the client is locked while it logs")
		}
	}})}, server)
	server.Stop()
	if _, err := client.Get(t.Context(), "k"); err == nil {
		t.Error("Get from a server that stopped = nil")
	}
	_ = client.Close()
	if told == 0 {
		t.Error("the log does not say that the server is down")
	}
}

func TestLogger_TellsThatASilentServerIsEjectedAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{EjectAfter: 1, Logger: slog.New(slog.NewTextHandler(&log, nil))}, server)
		set(t, client, "k", "v")
		server.Intercept(mute("GET"))
		_, _ = client.Get(t.Context(), "k")
		server.Intercept(nil)
		time.Sleep(5 * time.Second)
		if !strings.Contains(log.String(), "is ejected") || !strings.Contains(log.String(), "is back") {
			t.Errorf("the log says %q, want that the server was ejected and is back", log.String())
		}
	})
}
