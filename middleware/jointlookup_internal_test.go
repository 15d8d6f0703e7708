package middleware

import (
	"context"
	"testing"
	"time"
)

// TestJointLookups_ALookupGivenUpWhenItMayBegin: the time of who was to make it ends
// in the moment in which the one before does.
func TestJointLookups_ALookupGivenUpWhenItMayBegin(t *testing.T) {
	const page = "mw:pAA"
	for name, ended := range map[string]bool{"after the one before": true, "before it": false} {
		t.Run(name, func(t *testing.T) {
			var s jointShard
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
			if joint, _ := s.join(page); joint != nil {
				t.Error("the next request waits, for nothing")
			}
		})
	}
}

// TestJointLookups_WhoFollowsAGivenUpLookupDoesNotWaitForIt, and nobody later.
func TestJointLookups_WhoFollowsAGivenUpLookupDoesNotWaitForIt(t *testing.T) {
	const page = "mw:pAA"
	var s jointShard
	s.join(page)
	next, _ := s.join(page)
	enough := make(chan struct{})
	close(enough)
	if s.await(page, next, enough) {
		t.Fatal("a lookup begins while the one before it is under way")
	}
	select {
	case <-next.done:
	default:
		t.Error("who follows it still waits")
	}
	s.leave(page)
	if len(s.next) != 0 {
		t.Errorf("%d pages are still looked up, want none", len(s.next))
	}
}

// found is a client that has one value for every page.
type found struct{ Client }

func (found) AppendValue(_ context.Context, dst []byte, _ string) ([]byte, uint32, error) {
	return append(dst, "value"...), 0, nil
}

// TestJointLookups_LooksAloneWhenItHasWaitedEnough covers both who is to make a
// joint lookup and who follows.
func TestJointLookups_LooksAloneWhenItHasWaitedEnough(t *testing.T) {
	const page = "mw:pAA"
	var c jointLookups // whose requests wait for no time at all
	s := &c.shards[page[len(page)-2]%jointShards]
	s.join(page)
	for range 3 {
		own := new(answer)
		if joint, err := c.lookUp(t.Context(), time.Now(), found{}, page, own, &answers); string(own.value) != "value" || joint != nil || err != nil {
			t.Errorf("lookUp = %q, %v, %v, want a value of its own", own.value, joint, err)
		}
	}
	next, _ := s.join(page)
	own := new(answer)
	joint, err := c.lookUp(t.Context(), time.Now(), found{}, page, own, &answers) // follows
	if string(own.value) != "value" || joint != nil || err != nil || next.users.Load() != 1 {
		t.Errorf("lookUp of who follows = %q, %v, %v, want a value of its own", own.value, joint, err)
	}
	s.giveUp(page, next)
	s.leave(page)
	if len(s.next) != 0 {
		t.Errorf("%d pages are still looked up, want none", len(s.next))
	}
}
