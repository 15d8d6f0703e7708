package session_test

import (
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/session"
)

func TestNew_WithoutAClientPanics(t *testing.T) {
	var none *memcached.Client
	for constructor, make := range constructors {
		for name, client := range map[string]session.Client{"nil": nil, "typed nil": none} {
			func() {
				defer func() {
					if got, want := recover(), "session: "+constructor+": client is nil"; got != want {
						t.Errorf("%s of a client that is %s panics with %v, want %q", constructor, name, got, want)
					}
				}()
				_ = make(client, nil, authKey)
			}()
		}
	}
}
