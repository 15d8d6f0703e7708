package main

import (
	"context"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// TestRecorder_KnowsTheMachine: doctor dials by itself, so that the client knows
// only names. A server of this machine with another name gets PLAIN, as it does
// from a client without a DialContext.
func TestRecorder_KnowsTheMachine(t *testing.T) {
	for _, local := range []bool{true, false} {
		r := &recorder{Mechanism: sasl.Auto("user", "password"), record: &record{local: func() bool { return local }}}
		_, _, err := r.Start(context.Background(), sasl.Server{Addr: "here.example:11211", Mechanisms: []string{"PLAIN"}})
		if (err == nil) != local {
			t.Errorf("Start with a connection that is local: %v = %v", local, err)
		}
		if m := r.record.snapshot(); m.secure != local {
			t.Errorf("the record says secure: %v, want %v", m.secure, local)
		}
	}
}
