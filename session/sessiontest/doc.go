// Package sessiontest checks that sessions are safe on a given memcached, or
// through a given decorator of the client: the suite that the in-process server
// and real ones both pass.
package sessiontest

import (
	"testing"

	"github.com/bmemcached/bmemcached-go/session"
)

// Run runs the suite. open returns a client of a memcached that nothing
// else uses; it is called once per test and closes the client by t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) session.Client) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, client session.Client)
	}{
		{"Lifecycle", lifecycle},
		{"ReadingRollsTheTimeoutAndKeepsTheVersion", readingKeepsTheVersion},
		{"Operations", operations},
		{"Sizes", sizes},
		{"LongTimeouts", longTimeouts},
		{"ParallelRequestsLoseNothing", parallelRequests},
		{"FlashIsDeliveredOnce", flashOnce},
		{"RevokeAll", revokeAll},
		{"LoginsDuringRevocations", loginsDuringRevocations},
		{"Interleavings", interleavings},
		{"SCS", scsStore},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}
