package store_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"
	rueidisstore "github.com/eko/gocache/store/rueidis/v4"
	"github.com/redis/rueidis"
)

const redisPassword = "secret"

// openRueidis starts a Redis, and returns gocache's rueidis store on it. Miniredis
// lacks what that store asks for: it keeps copies in the process, of which Redis
// tells it when they are out of date.
func openRueidis(t *testing.T) (s *rueidisstore.RueidisStore, client rueidis.Client, stop func()) {
	t.Helper()
	if os.Getenv("MEMCACHED_INTEGRATION") == "off" {
		t.Skip("MEMCACHED_INTEGRATION=off")
	}
	dir, err := os.MkdirTemp("", "redis") // not TempDir: its path outgrows a socket's 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "redis.sock")
	cmd := exec.Command("redis-server", "--port", "0", "--unixsocket", socket, "--requirepass", redisPassword,
		"--save", "", "--appendonly", "no", "--dir", dir)
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v (Debian: apt-get install redis-server)", err)
	}
	stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	t.Cleanup(stop)
	eventually(t, "Redis", func() bool {
		client, err = rueidis.NewClient(rueidis.ClientOption{
			InitAddress: []string{"redis:0"}, Password: redisPassword, DisableRetry: true, ForceSingleClient: true,
			DialCtxFn: func(ctx context.Context, _ string, dialer *net.Dialer, _ *tls.Config) (net.Conn, error) {
				return dialer.DialContext(ctx, "unix", socket)
			},
		})
		return err == nil
	})
	t.Cleanup(client.Close)
	return rueidisstore.NewRueidis(client), client, stop
}

// TestComparison_Rueidis checks the column of gocache's rueidis store in the
// documentation of package store.
func TestComparison_Rueidis(t *testing.T) {
	s, client, stop := openRueidis(t)
	minute := libstore.WithExpiration(time.Minute)
	set := func(key, value any, options ...libstore.Option) func() error {
		return func() error { return s.Set(t.Context(), key, value, options...) }
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for what, c := range map[string]struct {
		run  func() error
		want string
	}{
		"a string":                 {set("k", "v", minute), "ok"},
		"bytes":                    {set("k", []byte("v"), minute), "panic"},
		"a number":                 {set("k", int64(5), minute), "panic"},
		"a struct":                 {set("k", struct{ A int }{1}, minute), "panic"},
		"no TTL":                   {set("k", "v"), "error"},
		"TTL of 500 ms":            {set("k", "v", libstore.WithExpiration(500*time.Millisecond)), "error"},
		"negative TTL":             {set("k", "v", libstore.WithExpiration(-time.Second)), "error"},
		"a long key":               {set(fmt.Sprintf("%0300d", 1), "v", minute), "ok"},
		"a key with spaces":        {set("a b", "v", minute), "ok"},
		"a key that is no string":  {set(42, "v", minute), "panic"},
		"a nil option":             {set("k", "v", nil), "panic"},
		"a cancelled context":      {func() error { return s.Set(cancelled, "k", "v", minute) }, "error"},
		"an option it cannot keep": {set("k", "v", minute, libstore.WithClientSideCaching(time.Hour)), "ok"},
	} {
		if got := outcome(c.run); got != c.want {
			t.Errorf("Set, %s: %s, want %s", what, got, c.want)
		}
	}
	if _, ok := any(s).(libstore.SetIfNotExistsStore); ok {
		t.Error("SetIfNotExists is there")
	}
	for _, want := range []time.Duration{10 * time.Minute, 31 * 24 * time.Hour} {
		key := want.String()
		mustSet(t, s, key, "v", libstore.WithExpiration(want))
		value, ttl, err := s.GetWithTTL(t.Context(), key)
		// The process keeps its copy for ten seconds, and tells of the copy's time.
		if value != "v" || ttl > 10*time.Second || ttl < 5*time.Second || ttl%time.Second != 0 || err != nil {
			t.Errorf("GetWithTTL = %v, %v, %v, want v and the ten seconds of the copy", value, ttl, err)
		}
	}

	change := client.B().Set().Key("10m0s").Value("changed").Build()
	if err := client.Do(t.Context(), change).Error(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of the copy", func() bool {
		got, err := s.Get(t.Context(), "10m0s")
		return got == "changed" && err == nil
	})

	workers(16, func(w int) {
		for i := range 50 {
			if err := s.Set(t.Context(), fmt.Sprintf("k%d-%d", w, i), "v", minute, libstore.WithTags([]string{"t"})); err != nil {
				t.Errorf("Set = %v", err)
			}
		}
	})
	members := client.Do(t.Context(), client.B().Scard().Key("gocache_tag_t").Build())
	if n, err := members.AsInt64(); n != 800 || err != nil {
		t.Errorf("the tag has %d keys, %v, want all 800", n, err)
	}
	invalidate(t, s, "t")
	eventually(t, "the end of the copies", func() bool { return get(t, s, "k15-49") == "not found" })

	command := func(args ...string) error {
		return client.Do(t.Context(), client.B().Arbitrary(args...).Build()).Error()
	}
	if err := errors.Join(command("SET", "gocache_tag_t", "no set"), command("SET", "other's", "v")); err != nil {
		t.Fatal(err)
	}
	mustSet(t, s, "untagged", "v", minute, libstore.WithTags([]string{"t"}))
	if got := get(t, s, "untagged"); got != "ok" {
		t.Errorf("Get of an item whose tag cannot be written: %s, want it stored", got)
	}
	if err := s.Clear(t.Context()); err != nil {
		t.Errorf("Clear = %v", err)
	}
	eventually(t, "the end of what is not the store's", func() bool { return get(t, s, "other's") == "not found" })

	mustSet(t, s, "k", "v", minute, libstore.WithTags([]string{"t"}))
	stop()
	if err := s.Invalidate(t.Context(), libstore.WithInvalidateTags([]string{"t"})); err != nil {
		t.Errorf("Invalidate with a dead server = %v: it does not drop errors any more", err)
	}
}
