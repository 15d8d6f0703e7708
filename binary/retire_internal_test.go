package memcached

import (
	"errors"
	"net"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// TestSetServers_OperationsThatMoveAreCountedWhereTheyGo: an operation that meets
// a removed server goes on elsewhere. It is none of that server, no error and no
// retry, whichever step of the removal it meets and whether it shares a
// connection.
func TestSetServers_OperationsThatMoveAreCountedWhereTheyGo(t *testing.T) {
	for _, shared := range []bool{false, true} {
		for _, step := range []struct {
			name   string
			remove func(*node)
		}{
			{"its connections are still open", func(n *node) { n.inFlight.Store(gone) }},
			{"its connections are closed", func(n *node) { n.retire() }},
		} {
			t.Run(step.name+map[bool]string{true: ", shared"}[shared], func(t *testing.T) {
				client, err := New([]string{"a"}, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer client.Close()
				n := client.topology.Load().nodes[0]
				near, far := net.Pipe()
				defer far.Close()
				n.mu.Lock()
				n.add(newConn(n, near, false))
				n.mu.Unlock()
				n.crowded.Store(shared)
				conns := *n.conns.Load() // which an operation may have looked up before the removal
				step.remove(n)
				n.conns.Store(&conns)

				cl := client.newCall(wire.OpGet, "k")
				cl.deadline = noDeadline
				owned, err := n.doWithRetry(t.Context(), cl)
				if !owned || !errors.Is(err, errRetired) {
					t.Fatalf("an operation on a removed server: %v, owned %v, want %v", err, owned, errRetired)
				}
				if s := client.Stats(); s.Ops != 0 || s.Errors != 0 || s.Retries != 0 {
					t.Errorf("Stats() = %+v, want none of it", s)
				}
			})
		}
	}
}
