package middleware

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
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

// jointLookup is a lookup for several requests, the first of which makes it. What it
// found is read by all, and is used again when the last has left.
type jointLookup struct {
	begin chan struct{} // closed when the one before has ended
	begun bool          // begin is closed; guarded by jointShard.mu
	users atomic.Int32  // who will leave; no more join once it is made

	done   chan struct{} // closed when answer and err are there
	answer *answer       // for reading only; nil: there is none
	err    error

	spoiled atomic.Bool // the memory of answer is not used again
}

// errNoAnswer says that a joint lookup did not come to an end.
var errNoAnswer = errors.New("middleware: a joint lookup was given up")

// lookUp looks up what client has for a page, for a request that began at start. It is
// in own, or in that of the lookup that is returned, which others read too: leave must
// follow. Answers that others read come from pool.
func (c *jointLookups) lookUp(ctx context.Context, start time.Time, client Client, page string, own *answer, pool *sync.Pool) (*jointLookup, error) {
	s := &c.shards[page[len(page)-2]%jointShards]
	joint, leads := s.join(page)
	if joint == nil {
		defer s.leave(page)
		return nil, own.read(ctx, client, page)
	}
	enough := c.waits.detached(ctx, start).expired
	if leads {
		if s.await(page, joint, enough) {
			return s.lead(ctx, client, page, own, joint, pool)
		}
	} else {
		select {
		case <-joint.done:
			if isAnswer(joint.err) {
				return joint, joint.err
			}
		case <-enough:
		}
	}
	joint.leave()
	return nil, own.read(ctx, client, page)
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
		next.users.Store(1)
		s.next[page] = next
		return next, true
	default:
		next.users.Add(1)
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

// lead makes a lookup for all who joined it, or, if nobody has, for itself.
func (s *jointShard) lead(ctx context.Context, client Client, page string, own *answer, l *jointLookup, pool *sync.Pool) (*jointLookup, error) {
	defer close(l.done)
	runtime.Gosched() // requests that are on their way here still join
	alone := s.start(page, l)
	defer s.leave(page)
	if alone {
		return nil, own.read(ctx, client, page)
	}
	l.answer = pool.Get().(*answer)
	l.err = l.answer.read(ctx, client, page)
	return l, l.err
}

// leave says that one of those who joined l needs its answer no more.
func (l *jointLookup) leave() {
	if l != nil && l.users.Add(-1) == 0 && l.answer != nil && !l.spoiled.Load() {
		l.answer.recycle()
	}
}

// spoil keeps the memory of l from being used again.
func (l *jointLookup) spoil() {
	if l != nil {
		l.spoiled.Store(true)
	}
}

// lookedUpAlone returns a lookup that one request has made, and nobody joins.
func lookedUpAlone(a *answer) *jointLookup {
	l := &jointLookup{answer: a}
	l.users.Store(1)
	return l
}

// start keeps further requests from joining l, and reports whether none has, or none
// is left of those.
func (s *jointShard) start(page string, l *jointLookup) (alone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next[page] = nil
	return l.users.Load() == 1
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
