package middleware

import (
	"sync"
	"time"

	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// How requests for the same page are collapsed, so that a page which many want
// costs memcached few lookups and the handler one run:
//
//   - jointlookup.go: while a page is being looked up, the requests for it that come
//     join the next lookup. In this process.
//   - flight.go: requests that found nothing, or something stale, join a flight. Its
//     leader makes the response and publishes it to its followers. In this process.
//   - lock.go: the leader of a flight takes a lock in memcached first. Leaders in
//     other processes find it and wait until the response is stored. Among all
//     processes.
//
// A flight lands with an outcome, when the header of the response or its end
// decides it (end.go): published to all who wait, or they are dismissed and run the
// handler themselves, or they look again. Locks end beside that: replaced by the
// response, given back by unlock, or replaced by a note.

// flights are the responses that this process is making or waiting for, by the
// key in memcached under which they will be found.
type flights struct {
	mu sync.Mutex // guards m and the fields of flights
	m  map[string]*flight
}

// flight is one response in the making. Its leader makes it; followers wait.
type flight struct {
	key     string
	done    chan struct{} // closed when there is an outcome
	outcome outcome
	waiting int // followers; guarded by flights.mu

	// since is when the leader took the lock in memcached, and zero before;
	// token is the id of the lock, or of the entry that is revalidated. A
	// request that looked later and found something else came after a purge and
	// must not join. Guarded by flights.mu.
	since time.Time
	token uint64
	// begun says that the run has begun, and next is the flight of those who came
	// after that, where it matters: see reload.go. Guarded by flights.mu.
	begun bool
	next  *flight
	// idle is called when the last follower left; guarded by flights.mu.
	idle func()
}

// outcome is what a flight ended with: an entry that followers may try, or word
// to look again, or neither: run the handler yourself.
type outcome struct {
	entry *stored.Entry
	index *stored.Index // which lists what selects the entry, if anything does
	again bool
}

// join returns the flight for key and whether the caller leads it. The caller
// looked into memcached at looked and found there what has the id token, or 0.
func (fs *flights) join(key string, looked time.Time, token uint64) (f *flight, leads bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f = fs.m[key]; f != nil && !f.outdated(looked, token) {
		f.waiting++
		return f, false
	}
	return fs.open(key), true
}

// open puts a new flight for key in the place of what is there. The caller holds fs.mu.
func (fs *flights) open(key string) *flight {
	if fs.m == nil {
		fs.m = make(map[string]*flight)
	}
	f := newFlight(key)
	fs.m[key] = f
	return f
}

func newFlight(key string) *flight { return &flight{key: key, done: make(chan struct{})} }

func (f *flight) outdated(looked time.Time, token uint64) bool {
	return !f.since.IsZero() && f.since.Before(looked) && f.token != token
}

// locked notes that the leader holds the lock in memcached.
func (fs *flights) locked(f *flight, since time.Time, token uint64) {
	fs.mu.Lock()
	f.since, f.token = since, token
	fs.mu.Unlock()
}

// endJoining keeps later requests from joining a flight that has not landed yet. They
// join the next one, where there is one.
func (fs *flights) endJoining(f *flight) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	switch {
	case fs.m[f.key] != f:
	case f.next != nil:
		fs.m[f.key] = f.next
	default:
		delete(fs.m, f.key)
	}
}

// leave is what a follower does when its client is gone.
func (fs *flights) leave(f *flight) {
	fs.mu.Lock()
	f.waiting--
	idle := f.idle
	alone := f.waiting == 0
	fs.mu.Unlock()
	if alone && idle != nil {
		idle()
	}
}

// whenIdle has f called when nobody waits for the flight, perhaps at once.
func (fs *flights) whenIdle(f *flight, call func()) {
	fs.mu.Lock()
	f.idle = call
	alone := f.waiting == 0
	fs.mu.Unlock()
	if alone {
		call()
	}
}

// land ends a flight. Only the first outcome counts.
func (fs *flights) land(f *flight, o outcome) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	switch current := fs.m[f.key]; {
	case current == f && f.next != nil:
		fs.m[f.key] = f.next
	case current == f:
		delete(fs.m, f.key)
	case current != nil && current.next == f:
		current.next = nil
	}
	select {
	case <-f.done:
	default:
		f.outcome = o
		close(f.done)
	}
}
