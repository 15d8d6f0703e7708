package middleware

import (
	"context"
	"errors"
	"testing"
)

// TestCoalescer_ALookupGivenUpWhenItMayBegin: the time of who was to make it ends
// in the moment in which the one before does.
func TestCoalescer_ALookupGivenUpWhenItMayBegin(t *testing.T) {
	const page = "mw:pAA"
	for name, ended := range map[string]bool{"after the one before": true, "before it": false} {
		t.Run(name, func(t *testing.T) {
			var s coalescerShard
			s.join(page)
			next, leads := s.join(page)
			if !leads {
				t.Fatal("the second request does not make the next lookup")
			}
			if ended {
				s.leave(page)
			}
			s.giveUp(page, next)
			if !ended {
				s.leave(page)
			}
			if len(s.next) != 0 {
				t.Errorf("%d pages are still looked up, want none", len(s.next))
			}
			if shared, _ := s.join(page); shared != nil {
				t.Error("the next request waits, for nothing")
			}
		})
	}
}

// TestCoalescer_WaitsForNothingWhenTimeIsOver covers both who makes a shared
// lookup and who follows.
func TestCoalescer_WaitsForNothingWhenTimeIsOver(t *testing.T) {
	const page = "mw:pAA"
	var c coalescer
	s := &c.shards[page[len(page)-2]%coalescerShards]
	s.join(page)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 {
		if value, own, err := c.lookUp(ctx, nil, page, nil); value != nil || own || !errors.Is(err, context.Canceled) {
			t.Errorf("lookUp = %q, %t, %v, want context.Canceled", value, own, err)
		}
	}
	s.leave(page)
	if len(s.next) != 0 {
		t.Errorf("%d pages are still looked up, want none", len(s.next))
	}
}
