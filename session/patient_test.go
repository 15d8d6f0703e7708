package session

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A request without a deadline, which is most of them, costs one allocation.
func TestPatient_CostsOneAllocation(t *testing.T) {
	var p patient
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got context.Context
	if n := testing.AllocsPerRun(100, func() {
		var done context.CancelFunc
		got, done = p.outlast(ctx)
		done()
	}); n > 1 {
		t.Errorf("outlast makes %v allocations, want 1 at most", n)
	}
	if got.Err() != nil {
		t.Errorf("Err = %v, want none", got.Err())
	}
}

func TestPatient_ShiftsOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p patient
		early, _ := p.outlast(t.Context())
		time.Sleep(patience - 1)
		late, _ := p.outlast(t.Context())
		if early.Done() != late.Done() {
			t.Error("requests of one shift have timers of their own")
		}
		time.Sleep(time.Nanosecond)
		next, _ := p.outlast(t.Context())
		if next.Done() == late.Done() {
			t.Error("the shift goes on after its closing time")
		}
		if late.Err() != nil {
			t.Errorf("the old shift ended with the new one: %v", late.Err())
		}
		time.Sleep(patience)
		synctest.Wait()
		if late.Err() == nil || next.Err() != nil {
			t.Errorf("after the old shift: %v and %v, want that one alone to have ended", late.Err(), next.Err())
		}
	})
}

func TestPatient_EndsForItsOwnReasonOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p patient
		request, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("left"))
		ctx, _ := p.outlast(request)
		if ctx.Err() != nil || context.Cause(ctx) != nil {
			t.Errorf("Err, Cause = %v, %v, want none", ctx.Err(), context.Cause(ctx))
		}
		<-ctx.Done()
		if got := context.Cause(ctx); got != context.DeadlineExceeded {
			t.Errorf("Cause = %v, want %v", got, context.DeadlineExceeded)
		}
	})
}
