package integration_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/bmemcached/bmemcached-go/integration/faultproxy"
)

// The pauses between attempts could be an hour long in these tests: what comes
// back soon is used soon, whatever RetryAfter is.
const neverAgain = time.Hour

// answers fails unless key is a hit or a miss within the time of eventually.
func answers(t *testing.T, client *memcached.Client, key string) {
	t.Helper()
	eventually(t, func() error {
		_, err := client.Get(t.Context(), key)
		if errors.Is(err, memcached.ErrCacheMiss) {
			return nil
		}
		return err
	})
}

func TestRecovery_KilledAndRestarted(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, nil)
	client := open(t, &memcached.Options{RetryAfter: neverAgain}, server)
	store(t, client, "key", "value")
	server.Kill()
	_, err := client.Get(t.Context(), "key")
	wantError(t, "Get", err, memcached.ErrUnavailable, server.Addr())
	server.Restart()
	answers(t, client, "key")
}

func TestRecovery_FrozenAndThawed(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, nil)
	for _, ejectAfter := range []int{0, 1} {
		client := open(t, &memcached.Options{RetryAfter: neverAgain, EjectAfter: ejectAfter, Timeout: 500 * time.Millisecond}, server)
		store(t, client, "key", "value")
		server.Pause()
		for range 3 { // of which the last ones find it down
			_, err := client.Get(t.Context(), "key")
			wantError(t, "Get", err, memcached.ErrUnavailable, server.Addr())
		}
		server.Resume()
		eventually(t, func() error {
			item, err := client.Get(t.Context(), "key")
			if err == nil && string(item.Value) != "value" {
				t.Fatalf("Get = %q, want %q", item.Value, "value")
			}
			return err
		})
	}
}

// TestRecovery_BlackHole: what was swallowed never comes, so an attempt that
// waits is of no use.
func TestRecovery_BlackHole(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, nil)
	proxy := faultproxy.Start(t, server.Addr())
	client := openAt(t, &memcached.Options{RetryAfter: neverAgain, Timeout: 500 * time.Millisecond}, proxy.Addr())
	store(t, client, "key", "value")
	proxy.Use(faultproxy.Faults{
		Requests:  faultproxy.Direction{Swallow: true},
		Responses: faultproxy.Direction{Swallow: true},
	})
	for range 3 {
		_, err := client.Get(t.Context(), "key")
		wantError(t, "Get", err, memcached.ErrUnavailable, proxy.Addr())
	}
	proxy.Use(faultproxy.Faults{})
	answers(t, client, "key")
}

// TestHandshake_MayTakeLongerThanTimeout: SCRAM takes four round trips, of which
// each takes longer than Timeout.
func TestHandshake_MayTakeLongerThanTimeout(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, &integration.Options{Users: users})
	proxy := faultproxy.Start(t, server.Addr())
	client := openAt(t, &memcached.Options{Auth: sasl.ScramSHA256(username, password), Timeout: 20 * time.Millisecond}, proxy.Addr())
	proxy.Use(faultproxy.Faults{Responses: faultproxy.Direction{Delay: 30 * time.Millisecond}})
	_, err := client.Get(t.Context(), "key")
	wantError(t, "Get", err, memcached.ErrUnavailable, proxy.Addr())
	eventually(t, func() error {
		if client.Stats().Servers[proxy.Addr()].Conns == 0 {
			return errors.New("no connection")
		}
		return nil
	})
	proxy.Use(faultproxy.Faults{})
	answers(t, client, "key")
}

// TestName_LocalhostOfEitherFamily: memcached listens on one of its addresses.
func TestName_LocalhostOfEitherFamily(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, nil)
	_, port, err := net.SplitHostPort(server.Addr())
	if err != nil {
		t.Skip("not on TCP")
	}
	if addrs, err := net.DefaultResolver.LookupHost(context.Background(), "localhost"); err != nil || len(addrs) == 0 {
		t.Skip("no localhost")
	}
	client := openAt(t, &memcached.Options{Timeout: 10 * time.Second}, net.JoinHostPort("localhost", port))
	store(t, client, "key", "value")
	wantValue(t, client, "key", "value")
}
