package memcached_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// recordingTracer notes what it is told.
type recordingTracer struct {
	mu    sync.Mutex
	calls []traced
	open  int
}

type traced struct {
	op  memcached.Op
	err error
}

type tracerKey struct{}

func (r *recordingTracer) OpStart(ctx context.Context, op memcached.Op) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open++
	return context.WithValue(ctx, tracerKey{}, op)
}

func (r *recordingTracer) OpEnd(ctx context.Context, op memcached.Op, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
	if started, _ := ctx.Value(tracerKey{}).(memcached.Op); started != op {
		err = fmt.Errorf("OpEnd of %+v with the context of %+v", op, started)
	}
	r.calls = append(r.calls, traced{op, err})
}

// take returns what was noted since the last call.
func (r *recordingTracer) take() []traced {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := r.calls
	r.calls = nil
	return calls
}

func TestTracer_SeesEachOperationOnceWithItsError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		tracer := &recordingTracer{}
		client := newClient(t, memcached.Options{Tracer: tracer}, server)
		ctx := t.Context()
		names := map[string]string{
			"Get": "get", "GetAndTouch": "get_and_touch", "AppendValue": "get", "GetMulti": "get_multi",
			"Set": "set", "Add": "add", "Replace": "replace", "CompareAndSwap": "compare_and_swap", "SetMulti": "set_multi",
			"Append": "append", "Prepend": "prepend", "Touch": "touch", "Delete": "delete",
			"CompareAndDelete": "compare_and_delete", "DeleteMulti": "delete_multi",
			"Increment": "increment", "Decrement": "decrement", "IncrementOrSet": "increment_or_set", "DecrementOrSet": "decrement_or_set",
			"FlushAll": "flush_all", "Ping": "ping", "Versions": "version", "ServerStats": "stats",
		}
		for name, do := range operations() {
			err := do(ctx, client)
			calls := tracer.take()
			if len(calls) != 1 {
				t.Errorf("%s was traced %d times, want once", name, len(calls))
				continue
			}
			op, got := calls[0].op, calls[0].err
			if op.Name != names[name] || op.Server != server.Addr() {
				t.Errorf("%s was traced as %+v, want the name %q and the server", name, op, names[name])
			}
			keys, key := 1, "k"
			switch name {
			case "GetMulti", "SetMulti", "DeleteMulti":
				key = "" // several
			case "FlushAll", "Ping", "Versions", "ServerStats":
				keys, key = 0, ""
			}
			if op.Key != key || op.Keys != keys {
				t.Errorf("%s was traced with key %q and %d keys, want %q and %d", name, op.Key, op.Keys, key, keys)
			}
			if fmt.Sprint(got) != fmt.Sprint(err) {
				t.Errorf("%s was traced with %v and returned %v", name, got, err)
			}
		}
		if tracer.open != 0 {
			t.Errorf("%d operations have started and not ended", tracer.open)
		}
	})
}

func TestTracer_SeesPartialFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		tracer := &recordingTracer{}
		client := newClient(t, memcached.Options{Tracer: tracer}, server)
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			if r.Key == "bad" {
				return memcachedtest.Action{Status: memcached.StatusOutOfMemory}
			}
			return memcachedtest.Action{}
		})
		_, err := client.GetMulti(t.Context(), []string{"a", "bad", "c"})
		wantKeys(t, err, nil, "bad")
		calls := tracer.take()
		if len(calls) != 1 || calls[0].op.Keys != 3 {
			t.Fatalf("GetMulti was traced as %+v, want one operation on 3 keys", calls)
		}
		wantKeys(t, calls[0].err, nil, "bad")
		_, err = client.ServerStats(t.Context(), "no-such-group")
		if calls := tracer.take(); len(calls) != 1 || calls[0].err == nil || err == nil {
			t.Errorf("ServerStats of an unknown group = %v, traced as %+v, want an error in both", err, calls)
		}
	})
}

func TestTracer_SeesEveryServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := []*memcachedtest.Server{newServer(t, nil), newServer(t, nil), newServer(t, nil)}
		tracer := &recordingTracer{}
		client := newClient(t, memcached.Options{Tracer: tracer}, servers...)
		keys := numbered("k", 100)
		if _, err := client.GetMulti(t.Context(), keys); err != nil {
			t.Fatal(err)
		}
		total := 0
		var seen []string
		for _, call := range tracer.take() {
			total += call.op.Keys
			seen = append(seen, call.op.Server)
		}
		slices.Sort(seen)
		if total != 100 || len(slices.Compact(seen)) != 3 {
			t.Errorf("GetMulti was traced with %d keys on %v, want 100 on three servers", total, seen)
		}
		if err := client.Ping(t.Context()); err != nil || len(tracer.take()) != 3 {
			t.Errorf("Ping = %v, want it traced for each server", err)
		}
	})
}

// nilTracer returns no context.
type nilTracer struct{}

func (nilTracer) OpStart(context.Context, memcached.Op) context.Context { return nil }
func (nilTracer) OpEnd(context.Context, memcached.Op, error)            {}

func TestTracer_ThatReturnsNoContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, memcached.Options{Tracer: nilTracer{}}, newServer(t, nil))
		for name, do := range operations() {
			if err := do(t.Context(), client); err != nil && strings.Contains(err.Error(), "context") {
				t.Errorf("%s = %v", name, err)
			}
		}
	})
}

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

// TestLogger_NilIsTheDefault: slog's default logger at the time of the event.
func TestLogger_NilIsTheDefault(t *testing.T) {
	var log logBuffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(old)
	_ = newNetworklessClient(t).Ping(t.Context())
	if !strings.Contains(log.String(), "server is down") {
		t.Errorf("the default logger got %q, want that the server is down", log.String())
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

func TestStats_Numbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		network := newFlaky(server)
		client := newClient(t, memcached.Options{MaxConns: 1, DialContext: network.DialContext}, server)
		ctx := t.Context()
		set(t, client, "k", "v")                                 // 1
		wantValue(t, client, "k", "v")                           // 2: a hit
		_, _ = client.Get(ctx, "miss")                           // 3: a miss
		_, _ = client.GetAndTouch(ctx, "k", 0)                   // 4: a hit
		_, _, _ = client.AppendValue(ctx, nil, "miss")           // 5: a miss
		_, _ = client.GetMulti(ctx, []string{"k", "miss", "k"})  // 6: two hits, one miss
		_ = client.Add(ctx, &memcached.Item{Key: "k"})           // 7: an answer, no error
		_ = client.CompareAndDelete(ctx, "k", 0)                 // refused locally
		_, _ = client.Get(ctx, "")                               // refused locally
		if _, err := client.Increment(ctx, "k", 1); err == nil { // 8: an answer as well
			t.Error("Increment of a text = nil")
		}
		want := memcached.ServerStats{Conns: 1, Dials: 1, Ops: 8}
		s := client.Stats()
		if s.Gets != 7 || s.Hits != 4 || s.Misses != 3 || s.Ops != 8 || s.Errors != 0 || s.Timeouts != 0 || s.Cancellations != 0 || s.Retries != 0 {
			t.Errorf("Stats() = %+v, want 7 gets, 4 hits, 3 misses, 8 operations", s)
		}
		if s.Servers[server.Addr()] != want {
			t.Errorf("Stats().Servers = %+v, want %+v", s.Servers[server.Addr()], want)
		}

		server.Intercept(delays(map[string]time.Duration{"slow": time.Minute}))
		cancelled, cancel := context.WithCancel(ctx)
		time.AfterFunc(10*time.Millisecond, cancel)
		_, _ = client.Get(cancelled, "slow") // 9: cancelled
		deadline, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		defer cancel()
		_, _ = client.Get(deadline, "slow") // 10: a timeout
		if s := client.Stats(); s.Gets != 9 || s.Ops != 10 || s.Errors != 2 || s.Timeouts != 1 || s.Cancellations != 1 {
			t.Errorf("Stats() = %+v, want 9 gets, 10 operations, 2 errors, 1 timeout, 1 cancellation", s)
		}
		op := getAt(t, client, time.Now(), 0, 0, "slow") // 11: ends with the connection, for silence
		synctest.Wait()
		if n := client.Stats().Servers[server.Addr()].InFlight; n != 1 {
			t.Errorf("%d operations in flight, want 1", n)
		}
		<-op.done
		network.set(server, true)
		server.Stop()
		_, _ = client.Get(ctx, "k") // 12
		got := client.Stats().Servers[server.Addr()]
		if got.Conns != 0 || got.Ops != 12 || got.Errors != 4 || got.DialErrors == 0 || !got.Down || got.InFlight != 0 {
			t.Errorf("Stats of a dead server = %+v", got)
		}
	})
}

func TestSecrets_AreInNothingThatIsPrinted(t *testing.T) {
	const password = "a-secret-password"
	opts := memcached.Options{
		Auth: sasl.Auto("app", password),
		//lint:ignore SA1019 a field that holds a secret
		TLS: &tls.Config{SessionTicketKey: [32]byte{'a', '-', 's', 'e', 'c', 'r', 'e', 't'}},
	}
	client, err := memcached.New([]string{"127.0.0.1:1"}, &opts)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	failure := client.Set(t.Context(), &memcached.Item{Key: "a-secret-key", Value: []byte("a-secret-value")})
	multi := client.SetMulti(t.Context(), []*memcached.Item{{Key: "a-secret-key", Value: []byte("a-secret-value")}})
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		logger := slog.New(handler)
		logger.Info("x", "client", client, "options", opts, "pointer", &opts, "auth", opts.Auth, "error", failure, "multi", multi)
	}
	printed := log.String() + failure.Error() + multi.Error()
	for _, auth := range []sasl.Mechanism{
		opts.Auth, sasl.Plain("app", password), sasl.ScramSHA256("app", password), sasl.ScramSHA1("app", password), sasl.CramMD5("app", password),
	} {
		opts.Auth = auth
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			printed += fmt.Sprintf(verb+" "+verb+" "+verb+" "+verb, client, opts, &opts, auth)
			printed += fmt.Sprintf(verb+" "+verb, any(client), struct{ Auth any }{auth})
		}
	}
	hexed := fmt.Sprintf("%x", password)
	if text, err := json.Marshal(opts.Auth); err == nil {
		printed += string(text)
	}
	for _, secret := range []string{password, hexed, "a-secret-value", fmt.Sprint([]byte(password))} {
		if i := strings.Index(printed, secret); i >= 0 {
			t.Errorf("printed: …%s…", printed[max(0, i-200):i+len(secret)])
		}
	}
	if op := new(memcached.OpError); !errors.As(failure, &op) || op.Key != "a-secret-key" || strings.Contains(failure.Error()+multi.Error(), "a-secret-key") {
		t.Errorf("Set = %v, want an OpError that has the key and does not tell it", failure)
	}
}
