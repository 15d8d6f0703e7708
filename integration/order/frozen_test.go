package order_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// The server freezes for longer than Options.Timeout, so that it has writes in
// its queues whose connections the client has given up, and goes on while the
// client makes new ones.
func TestFrozenServer_LateWritesUndoNothing(t *testing.T) {
	addr, freeze, thaw := startFreezable(t)
	const timeout = 100 * time.Millisecond
	client := open(t, addr, memcached.Options{Timeout: timeout, RetryAfter: 5 * time.Millisecond})
	set := func(key string, value int) error {
		return client.Set(t.Context(), &memcached.Item{Key: key, Value: fmt.Append(nil, value)})
	}
	var failed, undone atomic.Int64
	end := time.Now().Add(lasting(t))
	for round := 0; time.Now().Before(end); round++ {
		each := func(do func(key string)) {
			var all sync.WaitGroup
			for i := range 16 {
				all.Go(func() { do(fmt.Sprint("frozen-", i)) })
			}
			all.Wait()
		}
		each(func(key string) { eventually(t, func() error { return set(key, 3*round) }) })
		freeze()
		time.AfterFunc(timeout*3/2, thaw)
		each(func(key string) {
			if set(key, 3*round+1) != nil {
				failed.Add(1)
			}
			eventually(t, func() error { return set(key, 3*round+2) })
		})
		time.Sleep(timeout / 2) // what comes late has come by then, mostly
		each(func(key string) {
			var item *memcached.Item
			eventually(t, func() (err error) {
				item, err = client.Get(t.Context(), key)
				return err
			})
			if want := fmt.Sprint(3*round + 2); string(item.Value) != want {
				undone.Add(1)
				t.Logf("%s = %s, want %s", key, item.Value, want)
			}
		})
	}
	if undone.Load() > 0 || failed.Load() == 0 {
		t.Errorf("%d of %d writes that the server was too late for undid a later one, want none of some", undone.Load(), failed.Load())
	}
}

// eventually does do until it succeeds.
func eventually(t *testing.T, do func() error) {
	for {
		err := do()
		if err == nil {
			return
		}
		if t.Context().Err() != nil {
			t.Error(err)
			return
		}
		time.Sleep(time.Millisecond)
	}
}
