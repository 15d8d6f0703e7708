package prommemcached_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/prommemcached"
)

func newClient(tb testing.TB, opts memcached.Options, servers ...*memcachedtest.Server) *memcached.Client {
	tb.Helper()
	var addrs []string
	for _, s := range servers {
		addrs = append(addrs, s.Addr())
	}
	client, err := memcached.New(addrs, &opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = client.Close() })
	return client
}

func TestCollector_KeepsToTheRulesOfPrometheus(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	tracer := prommemcached.NewTracer(&prommemcached.Options{PerServer: true})
	client := newClient(t, memcached.Options{Tracer: tracer}, server)
	_, _ = client.Get(t.Context(), "k")
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(prommemcached.NewCollector(client, nil), tracer)
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
}

func TestCollector_ReportsStats(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	client := newClient(t, memcached.Options{MaxConns: 1}, server)
	_ = client.Set(t.Context(), &memcached.Item{Key: "k"})
	_, _ = client.GetMulti(t.Context(), []string{"k", "a", "b"})
	_, _ = client.Get(t.Context(), "")

	want := `
# HELP memcached_client_gets_total Keys that were asked for, by result: hit, miss or failed.
# TYPE memcached_client_gets_total counter
memcached_client_gets_total{result="failed"} 0
memcached_client_gets_total{result="hit"} 1
memcached_client_gets_total{result="miss"} 2
# HELP memcached_client_operation_cancellations_total Operations whose context was cancelled.
# TYPE memcached_client_operation_cancellations_total counter
memcached_client_operation_cancellations_total 0
# HELP memcached_client_operation_errors_total Operations that ended in a fault; misses and the like are answers.
# TYPE memcached_client_operation_errors_total counter
memcached_client_operation_errors_total 0
# HELP memcached_client_operation_retries_total Operations that were sent a second time.
# TYPE memcached_client_operation_retries_total counter
memcached_client_operation_retries_total 0
# HELP memcached_client_operation_timeouts_total Operations that ended because time ran out.
# TYPE memcached_client_operation_timeouts_total counter
memcached_client_operation_timeouts_total 0
# HELP memcached_client_operations_total Operations on servers.
# TYPE memcached_client_operations_total counter
memcached_client_operations_total 2
# HELP memcached_client_server_connections Connections that are open.
# TYPE memcached_client_server_connections gauge
memcached_client_server_connections{server="ADDR"} 1
# HELP memcached_client_server_dial_errors_total Connections that failed at dialling, TLS or authentication.
# TYPE memcached_client_server_dial_errors_total counter
memcached_client_server_dial_errors_total{server="ADDR"} 0
# HELP memcached_client_server_dials_total Connections that were opened.
# TYPE memcached_client_server_dials_total counter
memcached_client_server_dials_total{server="ADDR"} 1
# HELP memcached_client_server_ejected 1 while the distribution leaves the server out, else 0.
# TYPE memcached_client_server_ejected gauge
memcached_client_server_ejected{server="ADDR"} 0
# HELP memcached_client_server_operation_errors_total Operations on the server that ended in a fault.
# TYPE memcached_client_server_operation_errors_total counter
memcached_client_server_operation_errors_total{server="ADDR"} 0
# HELP memcached_client_server_operations_in_flight Operations that are under way.
# TYPE memcached_client_server_operations_in_flight gauge
memcached_client_server_operations_in_flight{server="ADDR"} 0
# HELP memcached_client_server_operations_total Operations on the server.
# TYPE memcached_client_server_operations_total counter
memcached_client_server_operations_total{server="ADDR"} 2
# HELP memcached_client_server_up 1, or 0 while the server rests after a failure.
# TYPE memcached_client_server_up gauge
memcached_client_server_up{server="ADDR"} 1
`
	want = strings.ReplaceAll(want, "ADDR", server.Addr())
	if err := testutil.CollectAndCompare(prommemcached.NewCollector(client, nil), strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}

func TestCollector_ServersThatFailAndLeave(t *testing.T) {
	a, b := memcachedtest.Start(t, nil), memcachedtest.Start(t, nil)
	client := newClient(t, memcached.Options{EjectAfter: 1}, a)
	collector := prommemcached.NewCollector(client, nil)
	want := func(name, series string) {
		t.Helper()
		text, err := testutil.CollectAndFormat(collector, expfmt.TypeTextPlain, "memcached_client_"+name)
		if err != nil || !strings.Contains(string(text), "\nmemcached_client_"+series+"\n") {
			t.Errorf("no %q in\n%s(%v)", series, text, err)
		}
	}
	_, _ = client.Get(t.Context(), "k")
	a.Stop()
	for range 3 {
		_, _ = client.Get(t.Context(), "k")
	}
	want("server_up", fmt.Sprintf("server_up{server=%q} 0", a.Addr()))
	want("server_ejected", fmt.Sprintf("server_ejected{server=%q} 1", a.Addr()))
	want("gets_total", `gets_total{result="failed"} 3`)
	want("operations_total", "operations_total 4")

	if err := client.SetServers([]string{b.Addr()}); err != nil {
		t.Fatal(err)
	}
	_, _ = client.Get(t.Context(), "k")
	want("server_up", fmt.Sprintf("server_up{server=%q} 1", b.Addr()))
	want("operations_total", "operations_total 5")
	if n := testutil.CollectAndCount(collector, "memcached_client_server_up"); n != 1 {
		t.Errorf("%d servers, want the one that is there", n)
	}
}

func TestCollector_SeveralClientsHaveLabels(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	registry := prometheus.NewPedanticRegistry()
	for _, name := range []string{"pages", "sessions"} {
		opts := &prommemcached.Options{Labels: prometheus.Labels{"client": name}}
		tracer := prommemcached.NewTracer(opts)
		client := newClient(t, memcached.Options{Tracer: tracer}, server)
		opts.Labels["client"] = "changed afterwards"
		registry.MustRegister(prommemcached.NewCollector(client, &prommemcached.Options{Labels: prometheus.Labels{"client": name}}), tracer)
		_, _ = client.Get(t.Context(), name)
	}
	for metric, want := range map[string]int{"memcached_client_operations_total": 2, "memcached_client_gets_total": 6, "memcached_client_operation_duration_seconds": 2} {
		if n, err := testutil.GatherAndCount(registry, metric); err != nil || n != want {
			t.Errorf("%d series of %s, %v, want %d", n, metric, err, want)
		}
	}
}

// TestNewCollector_NilClientPanics: a nil client is a mistake in the program.
func TestNewCollector_NilClientPanics(t *testing.T) {
	for _, client := range []prommemcached.Client{nil, (*memcached.Client)(nil)} {
		func() {
			defer func() {
				if got, want := recover(), "prommemcached: NewCollector: client is nil"; got != want {
					t.Errorf("NewCollector(nil): panic = %v, want %q", got, want)
				}
			}()
			_ = prommemcached.NewCollector(client, nil)
		}()
	}
}
