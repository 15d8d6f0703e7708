package store

import (
	"context"
	"sync"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// A flight is what the callers of GetOrLoad in this process wait for together.
// Its work is on a goroutine of its own (loading.go), so that no caller depends
// on another's context. A refresh is a flight that begins without callers.
type flight struct {
	*loadRequest
	refresh   bool
	away      bool          // memcached did not answer the first caller
	abandoned chan struct{} // closed when nobody waits any more, unless it loads
	done      chan struct{} // closed when out is set
	returned  chan struct{} // closed when load has returned; nil: it was not called
	out       outcome

	callers int  // guarded by loads.mu, as are the next three
	steps   int  // how often it has begun to read, or to load
	loading bool // so it goes on without callers
	landed  bool
}

// ticket is a caller's place on a flight.
type ticket struct {
	first bool // it is whose load runs
	step  int  // the last one that had begun when it joined
	away  bool // memcached did not answer it
}

// outcome is how a flight ended.
type outcome struct {
	value     any      // for the first caller
	payload   *payload // for the others; nil: they share value
	none      bool     // there is no value
	err       error
	panicked  *loadPanic
	failed    error // why value is an old one
	stale     bool  // value is an old one
	foreign   bool  // another process loaded it
	overtaken bool  // an Invalidate, Set, Delete or Clear came meanwhile

	step      int  // value is what is valid since this step began
	unchecked bool // or longer, which memcached did not say
}

// serves reports whether an outcome is an answer to a caller. What changed before
// the caller came must not be missing in it, so the step that the value is from has
// to have begun after that. A caller whom memcached does not answer knows nothing
// better.
func (o *outcome) serves(t ticket) bool {
	switch {
	case t.first:
		return true
	case o.overtaken:
		return false
	case o.err != nil || o.panicked != nil && o.payload == nil:
		return true
	default:
		return t.step < o.step || o.unchecked && t.away
	}
}

// loads are the flights of a store.
type loads struct {
	mu      sync.Mutex // guards the fields below
	flights map[string]*flight
	resting map[string]bool // keys that are not refreshed for a moment
	running map[string]int  // calls of load that have not returned
	closed  bool

	wg     sync.WaitGroup
	ctx    context.Context // ends when the store is closed
	cancel context.CancelFunc
}

// refreshRest is how long a process leaves a key alone whose refresh did not
// succeed or is another process's.
const refreshRest = time.Second

func (l *loads) init() {
	l.flights, l.resting, l.running = make(map[string]*flight), make(map[string]bool), make(map[string]int)
	l.ctx, l.cancel = context.WithCancel(context.Background())
}

// join adds a caller to the flight of its key. It begins one if there is none:
// the caller is then the first. away says that memcached did not answer it.
func (c *core) join(ctx context.Context, r *loadRequest, away bool) (*flight, ticket, error) {
	t := ticket{away: away}
	l := &c.loads
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, t, memcached.ErrClosed
	}
	f := l.flights[r.key]
	if f == nil {
		if _, err := r.settings(c.defaults); err != nil {
			return nil, t, err
		}
		t.first = true
		f = c.launch(ctx, &flight{loadRequest: r, away: away})
	}
	f.callers++
	t.step = f.steps
	return f, t, nil
}

// step begins a step of a flight, and returns its number. Who joins after that
// does not get what the step finds.
func (l *loads) step(f *flight) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.steps++
	return f.steps
}

// begun notes that load is called for a key, and returned that it has returned.
func (l *loads) begun(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running[key]++
}

func (l *loads) returned(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running[key]--; l.running[key] == 0 {
		delete(l.running, key)
	}
}

// overdue reports whether a load of a key still runs, although its flight has
// ended: it ignores its context.
func (l *loads) overdue(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.running[key] > 0
}

// startRefresh begins to load a key anew, unless that is happening already.
func (c *core) startRefresh(ctx context.Context, r *loadRequest) {
	l := &c.loads
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed && l.flights[r.key] == nil && !l.resting[r.key] && l.running[r.key] == 0 {
		c.launch(ctx, &flight{loadRequest: r, refresh: true})
	}
}

// launch begins a flight. The caller holds loads.mu.
func (c *core) launch(ctx context.Context, f *flight) *flight {
	l := &c.loads
	f.done, f.abandoned = make(chan struct{}), make(chan struct{})
	l.flights[f.key] = f
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(l.ctx, cancel)
	l.wg.Go(func() {
		defer cancel()
		defer stop()
		c.fly(ctx, f)
	})
	return f
}

// leave takes a caller off its flight. What nobody waits for and is not loading
// ends.
func (l *loads) leave(f *flight) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.callers--
	if f.callers == 0 && !f.loading && !f.landed {
		l.end(f, outcome{overtaken: true})
		close(f.abandoned)
	}
}

// unwanted reports whether nobody waits for a flight.
func (l *loads) unwanted(f *flight) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return f.callers == 0
}

// commit makes a flight go on without callers. It returns false if they have
// left already.
func (l *loads) commit(f *flight) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.loading = true
	return !f.landed
}

// land ends a flight, and reports whether it had not ended before.
func (l *loads) land(f *flight, out outcome) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.landed {
		return false
	}
	l.end(f, out)
	return true
}

func (l *loads) end(f *flight, out outcome) {
	f.landed, f.out = true, out
	if l.flights[f.key] == f {
		delete(l.flights, f.key)
	}
	close(f.done)
}

// rest keeps a key from being refreshed for a moment.
func (l *loads) rest(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.resting[key] = true
	time.AfterFunc(refreshRest, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.resting, key)
	})
}

// close ends the flights and waits for them.
func (l *loads) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.cancel()
	l.wg.Wait()
}
