package integration_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/integration"
)

// TestTurns_OfAMultiGet: memcached turns to other connections after -R requests,
// of which each key of a multi-get is one. OPERATIONS.md says so.
func TestTurns_OfAMultiGet(t *testing.T) {
	t.Parallel()
	const keys = 1000
	// A turn also ends, uncounted, where the requests that have come so far do: the
	// client sends no more than some hundred at a time.
	for turn, want := range map[int]struct{ least, most int }{20: {keys / 20 / 2, keys/20 + 1}, 200: {0, keys/200 + 1}} {
		server := integration.Start(t, &integration.Options{Args: []string{"-R", strconv.Itoa(turn)}})
		client := open(t, &memcached.Options{MaxConns: 1}, server)
		ask := make([]string, keys)
		for i := range ask {
			ask[i] = fmt.Sprint("key-", i)
			store(t, client, ask[i], "value")
		}
		before := yields(t, client)
		items, err := client.GetMulti(t.Context(), ask)
		if err != nil || len(items) != keys {
			t.Fatalf("GetMulti = %d items, %v, want %d", len(items), err, keys)
		}
		if n := yields(t, client) - before; n < want.least || n > want.most {
			t.Errorf("-R %d: %d turns ended during a multi-get of %d keys, want %d to %d", turn, n, keys, want.least, want.most)
		}
	}
}

// yields returns how often -R ended a connection's turn.
func yields(t *testing.T, client *memcached.Client) int {
	t.Helper()
	stats, err := client.ServerStats(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range stats {
		n, err := strconv.Atoi(of["conn_yields"])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 0
}
