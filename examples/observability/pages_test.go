package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

var pageSeries = regexp.MustCompile(`(?m)^page_cache_(events|faults)_total\{(\w+)="(\w+)"\} (\d+)$`)

// counted scrapes the site and returns what is not zero, by metric and label.
func counted(t *testing.T, get func(string) string) map[string]string {
	t.Helper()
	found := pageSeries.FindAllStringSubmatch(get("/metrics"), -1)
	if want := len(eventKinds) + 1 + len(faultKinds); len(found) != want {
		t.Errorf("%d series of the cache of pages, want the %d that are known beforehand", len(found), want)
	}
	counts := map[string]string{}
	for _, series := range found {
		if series[4] != "0" {
			counts[series[3]] = series[4]
		}
	}
	return counts
}

func wantCounted(t *testing.T, get func(string) string, want map[string]string) {
	t.Helper()
	if got := counted(t, get); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}

func TestPages_EventsAreCounted(t *testing.T) {
	get, _ := start(t, nil)
	wantCounted(t, get, map[string]string{})
	first := get("/pages/imprint")
	for range 2 {
		if again := get("/pages/imprint"); again != first || !strings.Contains(again, `Page "imprint"`) {
			t.Errorf("the page is %q, then %q", first, again)
		}
	}
	wantCounted(t, get, map[string]string{"miss": "1", "stored": "1", "hit": "2"})
	get("POST /pages/imprint")
	get("/pages/contact")
	wantCounted(t, get, map[string]string{"miss": "2", "stored": "2", "hit": "2", "bypass": "1", "invalidated": "1"})
	if metrics := get("/metrics"); strings.Contains(metrics, "imprint") || strings.Contains(metrics, `"page:`) {
		t.Errorf("the metrics name pages:\n%s", metrics)
	}
}

func TestPages_FaultsAreCountedByKind(t *testing.T) {
	server := memcachedtest.Start(t, &memcachedtest.Options{Users: map[string]string{"app": "secret"}})
	env := map[string]string{"MEMCACHED_SERVERS": server.Addr(), "MEMCACHED_USERNAME": "app", "MEMCACHED_PASSWORD": "secret"}
	get, _ := start(t, env)
	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		return memcachedtest.Action{Skip: strings.HasPrefix(r.Key, "page:")} // it does not answer
	})
	if body := get("/pages/imprint"); !strings.Contains(body, `Page "imprint"`) {
		t.Errorf("the page is %q", body)
	}
	wantFault(t, get, "timeout")

	env["MEMCACHED_PASSWORD"] = "wrong"
	get, _ = start(t, env)
	if body := get("/pages/imprint"); !strings.Contains(body, `Page "imprint"`) {
		t.Errorf("the page is %q", body)
	}
	wantFault(t, get, "auth")
}

// wantFault fails the test unless there were faults, and all of this kind.
func wantFault(t *testing.T, get func(string) string, kind string) {
	t.Helper()
	got := counted(t, get)
	if got[kind] == "" || got[kind] != got["error"] || got["miss"]+got["bypass"] == "" {
		t.Errorf("counted %v, want a page that was made and faults of kind %s", got, kind)
	}
}

func TestFaultKind(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{&memcached.OpError{Err: context.DeadlineExceeded}, "timeout"},
		{os.ErrDeadlineExceeded, "timeout"},
		{&memcached.OpError{Err: context.Canceled}, "canceled"},
		{&memcached.OpError{Err: memcached.ErrAuth}, "auth"},
		{memcached.ErrTooLarge, "too_large"},
		{memcached.ErrUnavailable, "unavailable"},
		{errors.New("page:secret"), "other"},
		{nil, "other"},
	} {
		if got := faultKind(test.err); got != test.want {
			t.Errorf("faultKind(%v) = %q, want %q", test.err, got, test.want)
		}
	}
}

func TestPageMetrics_EventsOfALaterVersion(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	newPageMetrics(registry).count(middleware.Event{Kind: "shrunk", Key: "page:secret"})
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if label := metric.GetLabel()[0].GetValue(); (metric.GetCounter().GetValue() != 0) != (label == other && family.GetName() == "page_cache_events_total") {
				t.Errorf("%s of %s = %v", family.GetName(), label, metric.GetCounter().GetValue())
			}
		}
	}
}
