package middleware

import (
	"errors"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
)

// Requests that learn at once that the client has no versions all go on without them.
func TestLacksVersions_HoldsForEveryoneWhoLearnsIt(t *testing.T) {
	c := new(Cache)
	refused := &memcached.OpError{Op: "set", Err: errors.New("a client without versions")}
	for range 2 {
		if !c.lacksVersions(refused) || !c.versionless.Load() {
			t.Error("a refusal by the client is taken for a fault")
		}
	}
	c = new(Cache)
	for _, err := range []error{
		nil, errors.New("other"), &memcached.OpError{Op: "set", Server: "a", Err: errors.New("other")},
		&memcached.OpError{Op: "set", Err: memcached.ErrUnavailable},
	} {
		if c.lacksVersions(err) || c.versionless.Load() {
			t.Errorf("%v is taken for a lack of versions", err)
		}
	}
}
