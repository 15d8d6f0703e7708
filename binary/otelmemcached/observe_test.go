package otelmemcached_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/otelmemcached"
)

// lines prints the points of all metrics but the histogram.
func lines(t *testing.T, tel *telemetry) []string {
	t.Helper()
	var lines []string
	for name, m := range tel.collect(t) {
		var points []metricdata.DataPoint[int64]
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			points = data.DataPoints
			if monotonic := name != "db.client.connection.count" && name != "memcached.client.operations"; data.IsMonotonic != monotonic {
				t.Errorf("%s is monotonic: %v", name, data.IsMonotonic)
			}
		case metricdata.Gauge[int64]:
			points = data.DataPoints
		default:
			continue
		}
		for _, p := range points {
			var attrs []string
			for _, kv := range p.Attributes.ToSlice() {
				attrs = append(attrs, fmt.Sprintf("%s=%s", kv.Key, kv.Value.Emit()))
			}
			lines = append(lines, fmt.Sprintf("%s{%s} %d", name, strings.Join(attrs, ","), p.Value))
		}
	}
	slices.Sort(lines)
	return lines
}

func wantLines(t *testing.T, tel *telemetry, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := lines(t, tel); !slices.Equal(got, want) {
		t.Errorf("metrics:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestObserve_ReportsStats(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	client, err := memcached.New([]string{server.Addr()}, &memcached.Options{MaxConns: 1, EjectAfter: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	tel := newTelemetry()
	tel.options.Attributes = []attribute.KeyValue{attribute.String("memcached.client.name", "pages")}
	registration, err := otelmemcached.Observe(client, &tel.options)
	if err != nil {
		t.Fatal(err)
	}
	_ = client.Set(t.Context(), &memcached.Item{Key: "k"})
	_, _ = client.GetMulti(t.Context(), []string{"k", "a", "b"})

	host, port, _ := net.SplitHostPort(server.Addr())
	const both = "db.system.name=memcached,memcached.client.name=pages"
	pool := "db.client.connection.pool.name=" + server.Addr() + ",db.client.connection.state="
	where := fmt.Sprintf("server.address=%s,server.port=%s", host, port)
	wantLines(
		t, tel,
		"db.client.connection.count{"+pool+"idle,"+both+"} 1",
		"db.client.connection.count{"+pool+"used,"+both+"} 0",
		"memcached.client.dials{"+both+",memcached.result=connected,"+where+"} 1",
		"memcached.client.dials{"+both+",memcached.result=failed,"+where+"} 0",
		"memcached.client.gets{"+both+",memcached.result=failed} 0",
		"memcached.client.gets{"+both+",memcached.result=hit} 1",
		"memcached.client.gets{"+both+",memcached.result=miss} 2",
		"memcached.client.operations{"+both+","+where+"} 0",
		"memcached.client.retries{"+both+"} 0",
		"memcached.client.server.ejected{"+both+","+where+"} 0",
		"memcached.client.server.up{"+both+","+where+"} 1",
	)

	server.Stop()
	for range 3 {
		_, _ = client.Get(t.Context(), "k")
	}
	text := strings.Join(lines(t, tel), "\n")
	for _, want := range []string{
		"memcached.client.server.up{" + both + "," + where + "} 0",
		"memcached.client.server.ejected{" + both + "," + where + "} 1",
		"memcached.result=failed} 3",
		"db.client.connection.count{" + pool + "idle," + both + "} 0",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("with the server stopped there is no %q in\n%s", want, text)
		}
	}

	if err := registration.Unregister(); err != nil {
		t.Fatal(err)
	}
	wantLines(t, tel)
}

func TestObserve_ConnectionsInUse(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	tel := newTelemetry()
	client := tel.client(t, []string{server.Addr()}, memcached.Options{MaxConns: 2})
	registration, err := otelmemcached.Observe(client, &tel.options)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = registration.Unregister() }()
	_, _ = client.Get(t.Context(), "k")
	arrived, release := make(chan struct{}), make(chan struct{})
	server.Intercept(func(memcachedtest.Request) memcachedtest.Action {
		arrived <- struct{}{}
		<-release
		return memcachedtest.Action{}
	})
	done := make(chan error)
	go func() { _, err := client.Get(context.WithoutCancel(t.Context()), "k"); done <- err }()
	<-arrived
	text := strings.Join(lines(t, tel), "\n")
	if !strings.Contains(text, "state=used,db.system.name=memcached} 1") || !strings.Contains(text, "state=idle,db.system.name=memcached} 0") {
		t.Errorf("during an operation:\n%s\nwant one connection in use", text)
	}
	close(release)
	if err := <-done; err != memcached.ErrCacheMiss {
		t.Error(err)
	}
}

// Two clients of one server are told apart by their attributes.
func TestObserve_SeveralClients(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	tel := newTelemetry()
	for i, name := range []string{"pages", "sessions"} {
		client, err := memcached.New([]string{server.Addr()}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		opts := tel.options
		opts.Attributes = []attribute.KeyValue{attribute.String("memcached.client.name", name)}
		registration, err := otelmemcached.Observe(client, &opts)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = registration.Unregister() }()
		for range i + 1 {
			_, _ = client.Get(t.Context(), "missing")
		}
	}
	text := strings.Join(lines(t, tel), "\n")
	for i, name := range []string{"pages", "sessions"} {
		if want := fmt.Sprintf("memcached.client.name=%s,memcached.result=miss} %d", name, i+1); !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// TestObserve_NilClientPanics: a nil client is a mistake in the program.
func TestObserve_NilClientPanics(t *testing.T) {
	for _, client := range []otelmemcached.Client{nil, (*memcached.Client)(nil)} {
		func() {
			defer func() {
				if got, want := recover(), "otelmemcached: Observe: client is nil"; got != want {
					t.Errorf("Observe(nil): panic = %v, want %q", got, want)
				}
			}()
			_, _ = otelmemcached.Observe(client, nil)
		}()
	}
}
