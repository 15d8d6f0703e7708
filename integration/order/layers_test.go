package order_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/session"
	"github.com/bmemcached/bmemcached-go/store"
)

// What is built on the client has its order: whatever a caller has left, the
// store has what was set after it, and a session that was ended stays so.
func TestLayers_WhatCallersLeaveUndoesNothing(t *testing.T) {
	client := open(t, start(t), memcached.Options{Timeout: 20 * time.Second})
	values := store.New(client)
	sessions, err := session.NewSCS(client, nil, []byte("a key of 32 bytes for signatures"), []byte("a key of 32 bytes for the cipher"))
	if err != nil {
		t.Fatal(err)
	}
	seed := seeded(t)
	end := time.Now().Add(lasting(t))
	var left atomic.Int64
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			leave := func(do func(ctx context.Context) error) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(2000))*time.Microsecond)
				defer cancel()
				if errors.Is(do(ctx), context.DeadlineExceeded) {
					left.Add(1)
				}
			}
			for n := 0; time.Now().Before(end); n++ {
				key, token, want := fmt.Sprint("layer-", i), fmt.Sprintf("%d-%d", i, n), fmt.Sprint("new ", n)
				leave(func(ctx context.Context) error {
					switch n % 3 {
					case 0:
						return values.Set(ctx, key, "old", libstore.WithTags([]string{"tag"}))
					case 1:
						return values.Delete(ctx, key)
					default:
						return values.SetMulti(ctx, map[string]any{key: "old", key + "-other": "old"})
					}
				})
				if err := values.Set(t.Context(), key, want); err != nil {
					t.Errorf("Set = %v", err)
				}
				if got, err := values.Get(t.Context(), key); got != want {
					t.Errorf("Get = %v, %v, want %q", got, err, want)
				}
				leave(func(ctx context.Context) error {
					return sessions.CommitCtx(ctx, token, []byte("data"), time.Now().Add(time.Hour))
				})
				if err := sessions.DeleteCtx(t.Context(), token); err != nil {
					t.Errorf("DeleteCtx = %v", err)
				}
				if _, found, err := sessions.FindCtx(t.Context(), token); found || err != nil {
					t.Errorf("a session that was ended: found %v, %v", found, err)
				}
			}
		})
	}
	all.Wait()
	if left.Load() == 0 {
		t.Error("no caller left: the test tests nothing")
	}
	t.Logf("%d operations were left", left.Load())
}
