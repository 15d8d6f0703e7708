package memcached_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// TestGetMulti_KeysBelongToTheCallerAgain: when GetMulti has returned, responses
// that come late are not compared with the caller's slice, which may have changed.
// The race detector sees it.
func TestGetMulti_KeysBelongToTheCallerAgain(t *testing.T) {
	server := newServer(t, nil)
	client := newClient(t, memcached.Options{MaxConns: 1}, server)
	keys := make([]string, 100)
	for i := range keys {
		keys[i] = fmt.Sprint("key", i)
		set(t, client, keys[i], "value")
	}
	names := slices.Clone(keys)
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for { // reads for others
			select {
			case <-stop:
				return
			default:
				_, _ = client.Get(context.Background(), "key0")
			}
		}
	}()
	for i := range 800 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%100)*20*time.Microsecond)
		_, _ = client.GetMulti(ctx, keys)
		cancel()
		copy(keys, names)
	}
	close(stop)
	<-done
}
