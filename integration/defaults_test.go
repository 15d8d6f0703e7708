package integration_test

import (
	"testing"

	"github.com/bmemcached/bmemcached-go/integration"
)

// TestMemcached_DefaultsThatPagesName: -c 1024, -R 20, -I 1 MiB and -t 4 stand in
// OPERATIONS.md and PERFORMANCE.md.
func TestMemcached_DefaultsThatPagesName(t *testing.T) {
	t.Parallel()
	for _, program := range []integration.Program{integration.Memcached, integration.NewestMemcached} {
		server := integration.Start(t, &integration.Options{Program: program})
		client := open(t, nil, server)
		settings, err := client.ServerStats(t.Context(), "settings")
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{"maxconns": "1024", "reqs_per_event": "20", "item_size_max": "1048576", "num_threads": "4"} {
			if got := settings[server.Addr()][name]; got != want {
				t.Errorf("%s: %s is %q, the pages say %s", program, name, got, want)
			}
		}
	}
}
