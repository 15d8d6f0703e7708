package middleware

import (
	"context"
	"errors"
	"sync"
	"time"
)

// coalescer lets requests for a page that many want at once share lookups of it:
// while one is under way, those who come wait for its end and then have the next
// one in common. So a hot page costs one server little however many want it.
//
// A request shares only a lookup that begins after it came. What a purge or a
// store that had ended by then did, it sees as if it had looked alone. It shares
// answers and no faults: when a lookup fails or takes long, it looks alone.
type coalescer struct {
	shards [coalescerShards]coalescerShard
	waits  alarms // how long requests wait for others
}

const (
	coalescerShards = 16
	// waitShare is the part of LookupTimeout for which requests wait for others.
	waitShare = 4
)

// coalescerShard knows the pages, by key in memcached, that are being looked up.
type coalescerShard struct {
	mu   sync.Mutex
	next map[string]*sharedLookup // after the one under way; nil: nobody waits for it
	_    [64]byte                 // keeps shards apart in the processors' caches
}

// sharedLookup is a lookup for several requests, the first of which makes it.
type sharedLookup struct {
	begin     chan struct{} // closed when the one before has ended
	begun     bool          // begin is closed; guarded by coalescerShard.mu
	followers int           // guarded by coalescerShard.mu

	done  chan struct{} // closed when value and err are there
	value []byte        // for reading only
	err   error
}

// errNoAnswer says that a shared lookup did not come to an end.
var errNoAnswer = errors.New("middleware: a shared lookup was given up")

// lookUp returns the value that client has for a page, for a request that began
// at start. Either it is appended to room and own is true, or it is shared with
// others and must not be changed.
func (c *coalescer) lookUp(ctx context.Context, start time.Time, client Client, page string, room []byte) (value []byte, own bool, err error) {
	s := &c.shards[page[len(page)-2]%coalescerShards]
	shared, leads := s.join(page)
	if shared == nil {
		defer s.leave(page)
		value, _, err = client.AppendValue(ctx, room, page)
		return value, true, err
	}
	enough := c.waits.begin(ctx, start).rang
	if leads {
		if s.await(page, shared, enough) {
			return s.lead(ctx, client, page, room, shared)
		}
	} else {
		select {
		case <-shared.done:
			if isAnswer(shared.err) {
				return shared.value, false, shared.err
			}
		case <-enough:
		}
	}
	value, _, err = client.AppendValue(ctx, room, page)
	return value, true, err
}

// join returns nothing to a request that is to look up alone, at once. To others
// it returns the lookup that they share, and whether they are to make it.
func (s *coalescerShard) join(page string) (shared *sharedLookup, leads bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next, busy := s.next[page]
	switch {
	case !busy:
		if s.next == nil {
			s.next = map[string]*sharedLookup{}
		}
		s.next[page] = nil
		return nil, false
	case next == nil:
		next = &sharedLookup{begin: make(chan struct{}), done: make(chan struct{}), err: errNoAnswer}
		s.next[page] = next
		return next, true
	default:
		next.followers++
		return next, false
	}
}

// await waits until the lookup l may begin and returns true, or takes it back
// when that lasts.
func (s *coalescerShard) await(page string, l *sharedLookup, enough <-chan struct{}) bool {
	select {
	case <-l.begin:
		return true
	case <-enough:
		s.giveUp(page, l)
		close(l.done)
		return false
	}
}

// lead makes a lookup for all who share it.
func (s *coalescerShard) lead(ctx context.Context, client Client, page string, room []byte, l *sharedLookup) (value []byte, own bool, err error) {
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
func (s *coalescerShard) start(page string, l *sharedLookup) (followers int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next[page] = nil
	return l.followers
}

// giveUp takes l back, for which its leader has waited enough.
func (s *coalescerShard) giveUp(page string, l *sharedLookup) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.begun {
		delete(s.next, page)
	} else {
		s.next[page] = nil
	}
}

// leave ends a lookup and lets the next begin, if there is one.
func (s *coalescerShard) leave(page string) {
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
