package discovery_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/discovery"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

func TestWatch_RefusesWrongArguments(t *testing.T) {
	client, resolver := &recorder{}, discovery.Static{"a:1"}
	for name, opts := range map[string]*discovery.Options{
		"Interval": {Interval: -1}, "Jitter": {Jitter: 1.1}, "Timeout": {Timeout: -1}, "MaxServers": {MaxServers: -1},
		"Interval of 30ns: durations have units": {Interval: 30}, "Timeout of 5ns: durations have units": {Timeout: 5},
	} {
		if _, err := discovery.Watch(t.Context(), client, resolver, opts); err == nil || !strings.Contains(err.Error(), "discovery: Options."+name) {
			t.Errorf("Watch with a wrong %s = %v", name, err)
		}
	}
	if _, _, err := discovery.New(t.Context(), discovery.Static{"a:1", "b c"}, nil, nil); err == nil {
		t.Error("New with an address that is none = nil")
	}
	client.want(t)
}

func TestWatch_ReportsAddressesThatAreNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := memcachedtest.Start(t, nil)
		client, err := memcached.New([]string{server.Addr()}, &memcached.Options{DialContext: server.DialContext})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		resolver := &script{servers: []string{server.Addr()}}
		w := watch(t, client, resolver, discovery.Options{})
		resolver.set(nil, "a b")
		if err := w.Refresh(t.Context()); err == nil || w.Status().Failures != 1 {
			t.Errorf("Refresh = %v, want the client's error", err)
		}
		if err := client.Ping(t.Context()); err != nil {
			t.Errorf("Ping = %v, want the server from before", err)
		}
	})
}

func TestOptions_OnChangeAndLoggerTellWhatHappened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var changes []string
		resolver := &script{servers: []string{"a:1", "b:1"}}
		w := watch(t, &recorder{}, resolver, discovery.Options{
			Logger:   slog.New(slog.NewTextHandler(&log, nil)),
			OnChange: func(before, now []string) { changes = append(changes, fmt.Sprint(before, now)) },
		})
		resolver.set(nil, "b:1", "c:1")
		_ = w.Refresh(t.Context())
		resolver.set(errDown)
		_ = w.Refresh(t.Context())
		_ = w.Refresh(t.Context())
		resolver.set(nil, "c:1", "b:1")
		_ = w.Refresh(t.Context())
		if want := []string{"[] [a:1 b:1]", "[a:1 b:1] [b:1 c:1]"}; !slices.Equal(changes, want) {
			t.Errorf("OnChange was called with %q, want %q", changes, want)
		}
		for text, times := range map[string]int{"servers changed": 2, "added=[c:1] removed=[a:1]": 1, "resolution fails": 1, "succeeds again": 1} {
			if n := strings.Count(log.String(), text); n != times {
				t.Errorf("the log says %q %d times, want %d:\n%s", text, n, times, log.String())
			}
		}
	})
}

func TestNew_ClientFollowsTheServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memcachedtest.Start(t, nil), memcachedtest.Start(t, nil)
		resolver := &script{servers: []string{a.Addr()}}
		client, w, err := discovery.New(t.Context(), resolver, &memcached.Options{DialContext: memcachedtest.Dialer(a, b)}, &discovery.Options{Interval: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		defer w.Close()
		for i := range 10 {
			if err := client.Set(t.Context(), &memcached.Item{Key: fmt.Sprint("k", i)}); err != nil {
				t.Fatal(err)
			}
		}
		resolver.set(nil, b.Addr())
		elapse(2 * time.Minute)
		for i := range 10 {
			if err := client.Set(t.Context(), &memcached.Item{Key: fmt.Sprint("k", i)}); err != nil {
				t.Fatal(err)
			}
		}
		if len(a.Keys()) != 10 || len(b.Keys()) != 10 {
			t.Errorf("%d and %d keys, want 10 on the first server and then 10 on the second", len(a.Keys()), len(b.Keys()))
		}
	})
}

// TestNil_Panics: a nil client or resolver is a mistake in the program, and the
// panic names it.
func TestNil_Panics(t *testing.T) {
	client := &recorder{}
	for want, call := range map[string]func(){
		"discovery: Watch: client is nil":   func() { _, _ = discovery.Watch(t.Context(), nil, discovery.Static{"a"}, nil) },
		"discovery: Watch: resolver is nil": func() { _, _ = discovery.Watch(t.Context(), client, nil, nil) },
		"discovery: New: resolver is nil":   func() { _, _, _ = discovery.New(t.Context(), nil, nil, nil) },
	} {
		wantPanic(t, want, call)
	}
	var none *memcached.Client
	wantPanic(t, "discovery: Watch: client is nil", func() { _, _ = discovery.Watch(t.Context(), none, discovery.Static{"a"}, nil) })
}

func wantPanic(t *testing.T, want string, call func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := recover(); got != want {
			t.Errorf("panic = %v, want %q", got, want)
		}
	}()
	call()
}
