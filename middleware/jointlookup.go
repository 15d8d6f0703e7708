package middleware

import (
	"context"
	"errors"
	"sync"
	"time"
)

// jointLookups lets requests for a page that many want at once join lookups of it:
// while one is under way, those who come wait for its end and then have the next
// one in common. So a hot page costs one server little however many want it. What
// comes after the lookup says flight.go.
//
// A request joins only a lookup that begins after it came. What a purge or a store
// that had ended by then did, it sees as if it had looked alone. It takes answers
// and no faults: when a joint lookup fails or takes long, it looks alone.
type jointLookups struct {
	shards [jointShards]jointShard
	waits  deadlines // how long requests wait for others
}

const (
	jointShards = 16
	// waitPart is the part of LookupTimeout for which requests wait for others.
	waitPart = 4
)

// jointShard knows the pages, by key in memcached, that are being looked up.
type jointShard struct {
	mu   sync.Mutex
	next map[string]*jointLookup // after the one under way; nil: nobody waits for it
	_    [64]byte                // keeps shards apart in the processors' caches
}

// jointLookup is a lookup for several requests, the first of which makes it.
type jointLookup struct {
	begin     chan struct{} // closed when the one before has ended
	begun     bool          // begin is closed; guarded by jointShard.mu
	followers int           // guarded by jointShard.mu

	done  chan struct{} // closed when value and err are there
	value []byte        // for reading only
	err   error
}

// errNoAnswer says that a joint lookup did not come to an end.
var errNoAnswer = errors.New("middleware: a joint lookup was given up")

// lookUp returns the value that client has for a page, for a request that began
// at start. Either it is appended to room and own is true, or others read it
// too and it must not be changed.
func (c *jointLookups) lookUp(ctx context.Context, start time.Time, client Client, page string, room []byte) (value []byte, own bool, err error) {
	s := &c.shards[page[len(page)-2]%jointShards]
	joint, leads := s.join(page)
	if joint == nil {
		defer s.leave(page)
		value, _, err = client.AppendValue(ctx, room, page)
		return value, true, err
	}
	enough := c.waits.detached(ctx, start).expired
	if leads {
		if s.await(page, joint, enough) {
			return s.lead(ctx, client, page, room, joint)
		}
	} else {
		select {
		case <-joint.done:
			if isAnswer(joint.err) {
				return joint.value, false, joint.err
			}
		case <-enough:
		}
	}
	value, _, err = client.AppendValue(ctx, room, page)
	return value, true, err
}

// join returns nothing to a request that is to look up alone, at once. To others
// it returns the lookup that they join, and whether they are to make it.
func (s *jointShard) join(page string) (joint *jointLookup, leads bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next, busy := s.next[page]
	switch {
	case !busy:
		if s.next == nil {
			s.next = map[string]*jointLookup{}
		}
		s.next[page] = nil
		return nil, false
	case next == nil:
		next = &jointLookup{begin: make(chan struct{}), done: make(chan struct{}), err: errNoAnswer}
		s.next[page] = next
		return next, true
	default:
		next.followers++
		return next, false
	}
}

// await waits until the lookup l may begin and returns true, or takes it back
// when that lasts.
func (s *jointShard) await(page string, l *jointLookup, enough <-chan struct{}) bool {
	select {
	case <-l.begin:
		return true
	case <-enough:
		s.giveUp(page, l)
		close(l.done)
		return false
	}
}

// lead makes a lookup for all who joined it.
func (s *jointShard) lead(ctx context.Context, client Client, page string, room []byte, l *jointLookup) (value []byte, own bool, err error) {
	defer close(l.done)
	own = s.start(page, l) == 0
	if !own {
		room = nil
	}
	defer s.leave(page)
	value, _, err = client.AppendValue(ctx, room, page)
	l.err = err
	if !own {
		l.value = value
	}
	return value, own, err
}

// start keeps further requests from joining l, and returns how many have.
func (s *jointShard) start(page string, l *jointLookup) (followers int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next[page] = nil
	return l.followers
}

// giveUp takes l back, for which its leader has waited enough.
func (s *jointShard) giveUp(page string, l *jointLookup) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.begun {
		delete(s.next, page)
	} else {
		s.next[page] = nil
	}
}

// leave ends a lookup and lets the next begin, if there is one.
func (s *jointShard) leave(page string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.next[page]
	if next == nil {
		delete(s.next, page)
		return
	}
	next.begun = true
	close(next.begin)
}
