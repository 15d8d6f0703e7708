package clienttest

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
)

var serverTests = []clientTest{
	{"Ping reaches every server", func(t *testing.T, s *suite) {
		if err := s.client.Ping(t.Context()); err != nil {
			t.Errorf("Ping = %v, want nil", err)
		}
	}},
	{"Versions names every server", func(t *testing.T, s *suite) {
		versions, err := s.client.Versions(t.Context())
		if err != nil || len(versions) != len(s.servers) {
			t.Fatalf("Versions = %v, %v, want %d", versions, err, len(s.servers))
		}
		for _, server := range s.servers {
			if !strings.HasPrefix(versions[server], "1.") {
				t.Errorf("Versions[%q] = %q, want a version of memcached", server, versions[server])
			}
		}
	}},
	{"ServerStats has the general statistics of every server", func(t *testing.T, s *suite) {
		s.needStats(t)
		s.set(t, "v") // so that there is something to tell of
		stats, err := s.client.ServerStats(t.Context(), "")
		if err != nil || len(stats) != len(s.servers) {
			t.Fatalf("ServerStats = %d servers, %v, want %d", len(stats), err, len(s.servers))
		}
		for server, values := range stats {
			for _, name := range []string{"version", "uptime", "time", "curr_items", "cmd_get", "get_hits", "bytes", "limit_maxbytes"} {
				if values[name] == "" {
					t.Errorf("ServerStats[%q] has no %s", server, name)
				}
			}
		}
	}},
	{"ServerStats has the groups of memcached", func(t *testing.T, s *suite) {
		s.needStats(t)
		s.set(t, "v")
		for group, name := range map[string]string{"settings": "item_size_max", "slabs": "total_malloced", "sizes": "sizes_status"} {
			stats, err := s.client.ServerStats(t.Context(), group)
			if err != nil {
				t.Fatalf("ServerStats(%s) = %v, want nil", group, err)
			}
			for server, values := range stats {
				if values[name] == "" {
					t.Errorf("ServerStats(%s)[%q] = %v, want %s in it", group, server, values, name)
				}
			}
		}
		if _, err := s.client.ServerStats(t.Context(), "items"); err != nil {
			t.Errorf("ServerStats(items) = %v, want nil", err)
		}
	}},
	{"an unknown group is an error and costs no connection", func(t *testing.T, s *suite) {
		s.needStats(t)
		client := s.newClient(t)
		for range 5 {
			stats, err := client.ServerStats(t.Context(), "no-such-group")
			var multi *memcached.MultiError
			var status *memcached.StatusError
			if !errors.As(err, &multi) || len(multi.Errors) != len(s.servers) || !errors.As(err, &status) || len(stats) != 0 {
				t.Errorf("ServerStats(no-such-group) = %v, %v, want a MultiError of %d servers with a StatusError", stats, err, len(s.servers))
			}
		}
		if _, err := client.ServerStats(t.Context(), strings.Repeat("g", 251)); err == nil {
			t.Error("ServerStats of 251 bytes = nil, want an error")
		}
		for server, stats := range client.Stats().Servers {
			if stats.Dials != 1 {
				t.Errorf("%s was connected to %d times, want once", server, stats.Dials)
			}
		}
	}},
	{"SetServers under load disturbs nobody", func(t *testing.T, s *suite) {
		client := s.newClient(t)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
					item := &memcached.Item{Key: s.key(), Value: []byte("v")}
					if err := client.Set(t.Context(), item); err != nil {
						t.Errorf("Set while the servers change = %v, want nil", err)
						return
					}
					if _, err := client.GetMulti(t.Context(), []string{item.Key, s.key()}); err != nil {
						t.Errorf("GetMulti while the servers change = %v, want nil", err)
						return
					}
				}
			})
		}
		for i := range 40 {
			servers := s.servers
			if i%2 == 1 {
				servers = servers[:max(1, len(servers)-1)]
			}
			if err := client.SetServers(servers); err != nil {
				t.Errorf("SetServers(%q) = %v, want nil", servers, err)
			}
			if err := client.Ping(t.Context()); err != nil {
				t.Errorf("Ping after SetServers = %v, want nil", err)
			}
		}
		close(stop)
		wg.Wait()
	}},
	{"SetServers refuses what New refuses and changes nothing", func(t *testing.T, s *suite) {
		client := s.newClient(t)
		for _, servers := range [][]string{nil, {""}, {"host:port:extra"}, {s.servers[0], s.servers[0]}} {
			if err := client.SetServers(servers); err == nil {
				t.Errorf("SetServers(%q) = nil, want an error", servers)
			}
		}
		if err := client.Ping(t.Context()); err != nil {
			t.Errorf("Ping = %v, want nil", err)
		}
	}},
}

func (s *suite) needStats(t *testing.T) {
	t.Helper()
	if s.DisableStats {
		t.Skip("these servers have no statistics")
	}
}
