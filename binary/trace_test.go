package memcached_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
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
