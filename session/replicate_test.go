package session_test

import (
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/session"
)

// TestNew_RefusesAClientThatReplicates: it keeps no versions, which would show at
// the second save only.
func TestNew_RefusesAClientThatReplicates(t *testing.T) {
	client, err := memcached.New([]string{"a", "b"}, &memcached.Options{Replicate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err = session.New(client, nil, authKey); err == nil || !strings.Contains(err.Error(), "Replicate") {
		t.Errorf("New = %v, want an error about Replicate", err)
	}
	if _, err = session.NewSCS(client, nil, authKey); err == nil || !strings.Contains(err.Error(), "Replicate") {
		t.Errorf("NewSCS = %v, want an error about Replicate", err)
	}
}
