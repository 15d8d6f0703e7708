package prommemcached_test

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/prommemcached"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// TestServerCollector_OfServersWithSASL: what memcached_exporter cannot reach.
func TestServerCollector_OfServersWithSASL(t *testing.T) {
	opts := &memcachedtest.Options{Users: map[string]string{"app": "secret"}}
	a, b := memcachedtest.Start(t, opts), memcachedtest.Start(t, opts)
	client := newClient(t, memcached.Options{Auth: sasl.Auto("app", "secret"), MaxConns: 1}, a, b)
	for _, key := range []string{"k1", "k2", "k3", "k4"} {
		item := &memcached.Item{Key: key, Value: []byte("v")}
		if err := client.Set(t.Context(), item); err != nil {
			t.Fatal(err)
		}
		if err := client.CompareAndSwap(t.Context(), item); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = client.Get(t.Context(), "k1")
	b.Stop()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(prommemcached.NewServerCollector(client, nil), prommemcached.NewCollector(client, nil))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{} // sums
	for _, family := range families {
		for _, m := range family.GetMetric() {
			name := family.GetName()
			for _, label := range m.GetLabel() {
				if label.GetName() == "server" && !strings.HasPrefix(name, "memcached_client_") {
					name += map[string]string{a.Addr(): " a", b.Addr(): " b"}[label.GetValue()]
				} else {
					name += " " + label.GetValue()
				}
			}
			got[name] += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	items := float64(len(a.Keys()))
	for name, want := range map[string]float64{
		"memcached_up a": 1, "memcached_up b": 0, "memcached_current_items a": items,
		"memcached_max_connections a": 1024, "memcached_version a 1.6.18": 1, "memcached_limit_bytes a": 64 << 20, "memcached_slab_current_items a 1": items,
	} {
		if got[name] != want {
			t.Errorf("%s = %v, want %v", name, got[name], want)
		}
	}
	sets, swaps := got["memcached_commands_total set a hit"], got["memcached_commands_total cas a hit"]
	if sets != items || swaps != items {
		t.Errorf("set %v, cas %v, want %v each: memcached counts a CAS in both", sets, swaps, items)
	}
}

func TestServerCollector_KeepsToTheRulesOfPrometheus(t *testing.T) {
	client := newClient(t, memcached.Options{}, memcachedtest.Start(t, nil))
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(prommemcached.NewServerCollector(client, &prommemcached.Options{Labels: prometheus.Labels{"cache": "main"}}))
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
}

func TestNewServerCollector_NilClient(t *testing.T) {
	defer func() {
		if got := recover(); got != "prommemcached: NewServerCollector: client is nil" {
			t.Errorf("NewServerCollector(nil) panics with %v", got)
		}
	}()
	prommemcached.NewServerCollector((*memcached.Client)(nil), nil)
}
