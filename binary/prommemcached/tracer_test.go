package prommemcached_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/prommemcached"
)

// histograms returns the tracer's, by the values of its labels in the order of
// their names.
func histograms(t *testing.T, tracer *prommemcached.Tracer) map[string]*dto.Histogram {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(tracer)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*dto.Histogram{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			var values []string
			for _, label := range m.GetLabel() {
				values = append(values, label.GetValue())
			}
			found[strings.Join(values, " ")] = m.GetHistogram()
		}
	}
	return found
}

func TestTracer_Results(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	tracer := prommemcached.NewTracer(nil)
	client := newClient(t, memcached.Options{Tracer: tracer}, server)
	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		switch r.Key {
		case "full":
			return memcachedtest.Action{Status: memcached.StatusOutOfMemory}
		case "silent":
			return memcachedtest.Action{Mute: true}
		}
		return memcachedtest.Action{}
	})
	ctx := t.Context()
	_ = errors.Join( // the histogram tells what they return
		client.Set(ctx, &memcached.Item{Key: "k"}),
		client.Add(ctx, &memcached.Item{Key: "k"}),
		client.CompareAndSwap(ctx, &memcached.Item{Key: "k", CAS: 1 << 40}),
		client.Delete(ctx, "missing"),
		client.Set(ctx, &memcached.Item{Key: "full"}),
		client.SetMulti(ctx, []*memcached.Item{{Key: "k"}, {Key: "full"}}),
		client.DeleteMulti(ctx, []string{"k", "missing"}),
	)
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	_, _ = client.Get(short, "silent")
	cancelled, cancel := context.WithCancel(ctx)
	time.AfterFunc(20*time.Millisecond, cancel)
	_, _ = client.Get(cancelled, "silent")

	found := histograms(t, tracer)
	for _, want := range []string{
		"set ok", "add not_stored", "compare_and_swap cas_conflict", "delete miss", "set error", "set_multi error", "delete_multi ok",
		"get timeout", "get canceled",
	} {
		if found[want].GetSampleCount() != 1 {
			t.Errorf("%d operations %q, want 1", found[want].GetSampleCount(), want)
		}
		delete(found, want)
	}
	if len(found) > 0 {
		t.Errorf("and there are %v", found)
	}
}

func TestTracer_MeasuresSeconds(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	tracer := prommemcached.NewTracer(&prommemcached.Options{Buckets: []float64{.01, 60}, PerServer: true})
	client := newClient(t, memcached.Options{Tracer: tracer}, server)
	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		return memcachedtest.Action{Delay: 20 * time.Millisecond}
	})
	_, _ = client.Get(t.Context(), "k")
	h := histograms(t, tracer)["get miss "+server.Addr()]
	if h.GetSampleCount() != 1 || h.GetSampleSum() < .02 || h.GetSampleSum() > 60 {
		t.Errorf("%d operations of %v s in all, want 1 of 20 ms or more", h.GetSampleCount(), h.GetSampleSum())
	}
	if b := h.GetBucket(); len(b) != 2 || b[0].GetCumulativeCount() != 0 || b[1].GetCumulativeCount() != 1 {
		t.Errorf("buckets %v, want the operation in the second", b)
	}
}

func TestTracer_ForgetsServersThatHaveLeft(t *testing.T) {
	a, b := memcachedtest.Start(t, nil), memcachedtest.Start(t, nil)
	tracer := prommemcached.NewTracer(&prommemcached.Options{PerServer: true})
	client := newClient(t, memcached.Options{Tracer: tracer}, a, b)
	_ = client.Ping(t.Context())
	tracer.Forget(a.Addr())
	found := histograms(t, tracer)
	if len(found) != 1 || found["ping ok "+b.Addr()].GetSampleCount() != 1 {
		t.Errorf("what is left is %v, want that of the other server", found)
	}
	plain := prommemcached.NewTracer(nil)
	client = newClient(t, memcached.Options{Tracer: plain}, a)
	_ = client.Ping(t.Context())
	plain.Forget(a.Addr())
	if n := len(histograms(t, plain)); n != 1 {
		t.Errorf("%d series without servers are left, want the one", n)
	}
}

// spans is a Tracer that notes what it is told.
type spans struct {
	mu             sync.Mutex
	started, ended int
	wrong          int // ends with another context than the start's
	silent         bool
}

type spanKey struct{}

func (s *spans) OpStart(ctx context.Context, op memcached.Op) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started++
	if s.silent {
		return nil
	}
	return context.WithValue(ctx, spanKey{}, op.Name)
}

func (s *spans) OpEnd(ctx context.Context, op memcached.Op, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended++
	if ctx.Value(spanKey{}) != op.Name {
		s.wrong++
	}
}

func TestTracer_NextIsCalledToo(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	for _, silent := range []bool{false, true} {
		next := &spans{silent: silent}
		inner := prommemcached.NewTracer(&prommemcached.Options{Next: next})
		tracer := prommemcached.NewTracer(&prommemcached.Options{Next: inner})
		client := newClient(t, memcached.Options{Tracer: tracer}, server)
		_, _ = client.Get(t.Context(), "k")
		_, _ = client.GetMulti(t.Context(), []string{"a", "b"})
		if next.started != 2 || next.ended != 2 || next.wrong != 0 && !silent {
			t.Errorf("silent %v: %d starts, %d ends, %d with a wrong context, want 2, 2 and 0", silent, next.started, next.ended, next.wrong)
		}
		for _, tr := range []*prommemcached.Tracer{tracer, inner} {
			if n := len(histograms(t, tr)); n != 2 {
				t.Errorf("silent %v: %d series, want 2", silent, n)
			}
		}
	}
}

func TestTracer_IgnoresForeignContexts(t *testing.T) {
	tracer := prommemcached.NewTracer(nil)
	tracer.OpEnd(t.Context(), memcached.Op{Name: "get"}, nil)
	if found := histograms(t, tracer); len(found) != 0 {
		t.Errorf("measured %v", found)
	}
}

func TestTracer_ConcurrentUse(t *testing.T) {
	a, b := memcachedtest.Start(t, nil), memcachedtest.Start(t, nil)
	tracer := prommemcached.NewTracer(&prommemcached.Options{PerServer: true, Next: &spans{}})
	client := newClient(t, memcached.Options{Tracer: tracer}, a, b)
	collector := prommemcached.NewCollector(client, nil)
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(collector, tracer)
	const workers, rounds = 8, 50
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range rounds {
				_, _ = client.Get(t.Context(), strings.Repeat("k", 1+i))
				if i%10 == 0 {
					if _, err := registry.Gather(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	var total uint64
	for _, h := range histograms(t, tracer) {
		total += h.GetSampleCount()
	}
	if total != workers*rounds {
		t.Errorf("%d operations measured, want %d", total, workers*rounds)
	}
}

// BenchmarkGet measures what a Tracer costs.
func BenchmarkGet(b *testing.B) {
	server, err := memcachedtest.NewServer(nil)
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	for name, tracer := range map[string]memcached.Tracer{"untraced": nil, "measured": prommemcached.NewTracer(nil)} {
		b.Run(name, func(b *testing.B) {
			client := newClient(b, memcached.Options{Tracer: tracer}, server)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := client.Get(b.Context(), "k"); err != memcached.ErrCacheMiss {
					b.Fatal(err)
				}
			}
		})
	}
}
