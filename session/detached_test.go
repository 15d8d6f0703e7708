package session

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A request without a deadline, which is most of them, costs one allocation.
func TestDetached_CostsOneAllocation(t *testing.T) {
	var c contexts
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got context.Context
	if n := testing.AllocsPerRun(100, func() {
		var done context.CancelFunc
		got, done = c.detached(ctx)
		done()
	}); n > 1 {
		t.Errorf("detached makes %v allocations, want 1 at most", n)
	}
	if got.Err() != nil {
		t.Errorf("Err = %v, want none", got.Err())
	}
}

func TestDetached_PeriodsOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c contexts
		early, _ := c.detached(t.Context())
		time.Sleep(detachedLimit - 1)
		late, _ := c.detached(t.Context())
		if early.Done() != late.Done() {
			t.Error("requests of one period have timers of their own")
		}
		time.Sleep(time.Nanosecond)
		next, _ := c.detached(t.Context())
		if next.Done() == late.Done() {
			t.Error("the period goes on after its close")
		}
		if late.Err() != nil {
			t.Errorf("the old period ended with the new one: %v", late.Err())
		}
		time.Sleep(detachedLimit)
		synctest.Wait()
		if late.Err() == nil || next.Err() != nil {
			t.Errorf("after the old period: %v and %v, want that one alone to have ended", late.Err(), next.Err())
		}
	})
}

func TestDetached_EndsForItsOwnReasonOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c contexts
		request, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("left"))
		ctx, _ := c.detached(request)
		if ctx.Err() != nil || context.Cause(ctx) != nil {
			t.Errorf("Err, Cause = %v, %v, want none", ctx.Err(), context.Cause(ctx))
		}
		<-ctx.Done()
		if got := context.Cause(ctx); got != context.DeadlineExceeded {
			t.Errorf("Cause = %v, want %v", got, context.DeadlineExceeded)
		}
	})
}
