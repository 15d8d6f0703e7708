package session_test

import (
	"context"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
)

// strictClient fails the test for times to live that the client refuses, because
// they mostly are a forgotten unit: those below a millisecond.
type strictClient struct {
	session.Client
	t *testing.T
}

func (s strictClient) Add(ctx context.Context, item *memcached.Item) error {
	s.look(item)
	return s.Client.Add(ctx, item)
}

func (s strictClient) CompareAndSwap(ctx context.Context, item *memcached.Item) error {
	s.look(item)
	return s.Client.CompareAndSwap(ctx, item)
}

func (s strictClient) look(item *memcached.Item) {
	if item.TTL < time.Millisecond {
		s.t.Errorf("an item has a time to live of %v, want a millisecond or more", item.TTL)
	}
}

// The end of a session can be nearer than a millisecond.
func TestTTL_OfASessionThatEndsInAMoment(t *testing.T) {
	bubble(t, func(t *testing.T) {
		client := strictClient{newClient(t, memcachedtest.Start(t, nil)), t}
		store, scs := storeOn(t, client, &session.Options{AbsoluteTimeout: time.Millisecond}, authKey), scsOn(t, client, nil, authKey)
		for range 2 { // creates, then replaces
			if err := scs.Commit(scsToken, []byte("x"), time.Now().Add(time.Microsecond)); err != nil {
				t.Errorf("Commit: %v", err)
			}
		}
		time.Sleep(1800 * time.Microsecond) // records keep milliseconds: 200 µs are left
		b := newBrowser(t)
		b.set(store, "k", 1)
		b.set(store, "k", 2)
		time.Sleep(time.Millisecond)
		wantNotFound(t, scs, scsToken)
		b.wantValue(store, "k", nil)
	})
}
