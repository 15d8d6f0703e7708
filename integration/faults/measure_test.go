package faults_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/integration/faultproxy"
)

// fault is what happens to the server or the network before it.
type fault struct {
	name  string
	lasts time.Duration // in the whole measurement; a short one cuts it
	sees  string        // what callers of this client see
	heals string        // how it ends for them
	bound time.Duration // within which this client is back, as the page says
	begin func(s *server, p *faultproxy.Proxy)
	end   func(s *server, p *faultproxy.Proxy)
}

// use returns a step that changes the network.
func use(f faultproxy.Faults) func(*server, *faultproxy.Proxy) {
	return func(_ *server, p *faultproxy.Proxy) { p.Use(f) }
}

var calm = use(faultproxy.Faults{})

var faults = []fault{
	{
		name: "server killed, restarted at once", sees: "reads in flight are repeated; then `ErrUnavailable` at once",
		heals: "attempts to connect after pauses of 5 to 40 ms",
		bound: 50 * time.Millisecond,
		begin: func(s *server, _ *faultproxy.Proxy) { s.kill() }, end: func(s *server, _ *faultproxy.Proxy) { s.start() },
	},
	{
		name: "server killed, back after a second", lasts: time.Second, sees: "the same", heals: "the same, pauses of up to 80 ms",
		bound: 100 * time.Millisecond,
		begin: func(s *server, _ *faultproxy.Proxy) { s.kill() }, end: func(s *server, _ *faultproxy.Proxy) { s.start() },
	},
	{
		name: "server frozen for five seconds (SIGSTOP)", lasts: 5 * time.Second,
		sees:  "each caller waits for one timeout, then `ErrUnavailable` at once",
		heals: "an attempt that waits is answered",
		bound: 100 * time.Millisecond,
		begin: func(s *server, _ *faultproxy.Proxy) { s.freeze() }, end: func(s *server, _ *faultproxy.Proxy) { s.thaw() },
	},
	{
		name: "black hole for three seconds, in mid frame", lasts: 3 * time.Second, sees: "the same",
		heals: "attempts in the background, of which one waits",
		bound: 100 * time.Millisecond,
		begin: use(faultproxy.Faults{Requests: faultproxy.Direction{Swallow: true}, Responses: faultproxy.Direction{Swallow: true}}), end: calm,
	},
	{
		name: "all connections reset", sees: "reads are repeated, writes in flight are `ErrUnavailable`", heals: "new connections at once",
		bound: 50 * time.Millisecond,
		begin: func(_ *server, p *faultproxy.Proxy) { p.CutAll(true) }, end: calm,
	},
	{
		name: "all connections forgotten by a load balancer", sees: "each caller waits for one timeout", heals: "new connections, no pause",
		bound: timeout + 100*time.Millisecond,
		begin: func(_ *server, p *faultproxy.Proxy) { p.Forget() }, end: calm,
	},
	{
		name: "connections refused for a second", lasts: time.Second, sees: "`ErrUnavailable` at once", heals: "as after a restart",
		bound: 100 * time.Millisecond,
		begin: func(_ *server, p *faultproxy.Proxy) { p.Use(faultproxy.Faults{Refuse: true}); p.CutAll(true) }, end: calm,
	},
	{
		name: "garbage instead of answers for a second", lasts: time.Second, sees: "`ErrUnavailable` at once", heals: "as after a restart",
		bound: 100 * time.Millisecond,
		begin: use(faultproxy.Faults{Responses: faultproxy.Direction{Corrupt: func(p []byte) { clear(p) }}}), end: calm,
	},
}

// seen is what callers saw of a fault.
type seen struct {
	back   time.Duration // from its end to the first success; limit: none came
	failed time.Duration // from its end to the last failure; 0: none came later
	waited int           // operations that took most of the timeout or longer
	hung   int           // callers whose operation has not ended at all
	panics int           // operations that panicked
}

const limit = 10 * time.Second // how long a client may take to be back

// measure lets callers ask once in a millisecond, makes the fault and ends it.
func measure(t *testing.T, p peer, f fault, lasts time.Duration) seen {
	t.Helper()
	s := startServer(t)
	defer s.kill()
	proxy := faultproxy.Start(t, s.addr)
	defer proxy.Close()
	c, err := p.open(proxy.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		closed := make(chan struct{})
		go func() { c.close(); close(closed) }()
		select {
		case <-closed:
		case <-time.After(5 * timeout): // it waits for what its own panic has cost
		}
	}()

	var l log
	stop := make(chan struct{})
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() { l.ask(i, c, stop) })
	}
	for begun := time.Now(); !l.allAnswered(); time.Sleep(time.Millisecond) {
		if time.Since(begun) > limit {
			t.Fatalf("%s: not every caller has had an answer within %v", p.name, limit)
		}
	}
	f.begin(s, proxy)
	time.Sleep(lasts)
	f.end(s, proxy)
	ended := time.Now()
	for time.Since(ended) < limit && !l.quiet(ended) {
		time.Sleep(10 * time.Millisecond) // until it works again
	}
	result := l.seen(ended)
	close(stop)
	s.kill()
	proxy.Close() // which ends operations that have no limit
	all.Wait()
	return result
}

// log is what the callers note.
type log struct {
	mu         sync.Mutex // guards what follows
	operations []operation
	began      [callers]time.Time // of what is under way; zero: nothing
	answered   [callers]bool
}

type operation struct {
	end  time.Time
	took time.Duration
	err  error
}

// ask operates until stop is closed.
func (l *log) ask(caller int, c client, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Millisecond):
		}
		start := time.Now()
		l.mu.Lock()
		l.began[caller] = start
		l.mu.Unlock()
		err := calmly(c.get)
		l.mu.Lock()
		end := time.Now()
		l.began[caller] = time.Time{}
		l.answered[caller] = l.answered[caller] || err == nil
		l.operations = append(l.operations, operation{end, end.Sub(start), err})
		l.mu.Unlock()
	}
}

// allAnswered reports whether every caller has had a success.
func (l *log) allAnswered() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !slices.Contains(l.answered[:], false)
}

// errPanic is what a client's panic is taken for.
var errPanic = errors.New("panic")

// calmly calls do and survives its panic.
func calmly(do func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = errPanic
		}
	}()
	return do()
}

// quiet reports whether there was a success since the fault ended, and for longer
// than an operation takes no failure.
func (l *log) quiet(ended time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	worked := false
	for _, o := range l.operations {
		if o.err != nil && time.Since(o.end) < 2*timeout {
			return false
		}
		worked = worked || o.err == nil && o.end.After(ended)
	}
	return worked && time.Since(ended) > 2*timeout
}

// seen sums up.
func (l *log) seen(ended time.Time) seen {
	l.mu.Lock()
	defer l.mu.Unlock()
	result := seen{back: limit}
	for _, began := range l.began {
		if !began.IsZero() && time.Since(began) > 3*timeout {
			result.hung++
		}
	}
	for _, o := range l.operations {
		late := o.end.Sub(ended)
		if o.took > timeout*8/10 {
			result.waited++
		}
		if o.err == errPanic {
			result.panics++
		}
		if o.err == nil && late > 0 {
			result.back = min(result.back, late)
		}
		if o.err != nil {
			result.failed = max(result.failed, late)
		}
	}
	return result
}
