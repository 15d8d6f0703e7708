package faults_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
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
	begin func(s *server, n network)
	end   func(s *server, n network)

	servers int  // how many the client has; 0: one
	secured bool // with SASL
}

// network is the way to each server. All of them lead to the same memcached.
type network []*faultproxy.Proxy

func (n network) each(do func(*faultproxy.Proxy)) {
	for _, p := range n {
		do(p)
	}
}

// use returns a step that changes the network.
func use(f faultproxy.Faults) func(*server, network) {
	return func(_ *server, n network) { n.each(func(p *faultproxy.Proxy) { p.Use(f) }) }
}

// cut resets all connections.
func (n network) cut() { n.each(func(p *faultproxy.Proxy) { p.CutAll(true) }) }

var calm = use(faultproxy.Faults{})

var faults = []fault{
	{
		name: "server killed, restarted at once", sees: "reads in flight are repeated; then `ErrUnavailable` at once",
		heals: "attempts to connect after pauses of 5 to 40 ms",
		bound: 100 * time.Millisecond,
		begin: func(s *server, _ network) { s.kill() }, end: func(s *server, _ network) { s.start() },
	},
	{
		name: "server killed, back after a second", lasts: time.Second, sees: "the same", heals: "the same, pauses of up to 80 ms",
		bound: 100 * time.Millisecond,
		begin: func(s *server, _ network) { s.kill() }, end: func(s *server, _ network) { s.start() },
	},
	{
		name: "server frozen for five seconds (SIGSTOP)", lasts: 5 * time.Second,
		sees:  "each caller waits for one timeout, then `ErrUnavailable` at once",
		heals: "an attempt that waits is answered",
		bound: 100 * time.Millisecond,
		begin: func(s *server, _ network) { s.freeze() }, end: func(s *server, _ network) { s.thaw() },
	},
	{
		name: "black hole for three seconds, in mid frame", lasts: 3 * time.Second, sees: "the same",
		heals: "attempts in the background, of which one waits",
		bound: 100 * time.Millisecond,
		begin: use(faultproxy.Faults{Requests: faultproxy.Direction{Swallow: true}, Responses: faultproxy.Direction{Swallow: true}}), end: calm,
	},
	{
		name: "all connections reset", sees: "reads are repeated, writes in flight are `ErrUnavailable`", heals: "new connections at once",
		bound: 100 * time.Millisecond,
		begin: func(_ *server, n network) { n.cut() }, end: calm,
	},
	{
		name: "all connections forgotten by a load balancer", sees: "each caller waits for one timeout", heals: "new connections, no pause",
		bound: timeout + 100*time.Millisecond,
		begin: func(_ *server, n network) { n.each((*faultproxy.Proxy).Forget) }, end: calm,
	},
	{
		name: "connections refused for a second", lasts: time.Second, sees: "`ErrUnavailable` at once", heals: "as after a restart",
		bound: 100 * time.Millisecond,
		begin: func(s *server, n network) { use(faultproxy.Faults{Refuse: true})(s, n); n.cut() }, end: calm,
	},
	{
		name: "garbage instead of answers for a second", lasts: time.Second, sees: "`ErrUnavailable` at once", heals: "as after a restart",
		bound: 100 * time.Millisecond,
		begin: use(faultproxy.Faults{Responses: faultproxy.Direction{Corrupt: func(p []byte) { clear(p) }}}), end: calm,
	},
	{
		name: "operations without an answer for three seconds, as of a proxy whose server is gone", lasts: 3 * time.Second,
		sees: "each caller waits for one timeout or two, then `ErrUnavailable` at once", heals: "attempts in the background, until a GET is answered",
		bound: 100 * time.Millisecond,
		begin: use(faultproxy.Faults{Requests: faultproxy.Direction{Drop: isGet}}), end: calm,
	},
	{
		name: "\"temporary failure\" (0x86) for every operation, for a second", lasts: time.Second,
		sees: "`*StatusError` at once", heals: "nothing to heal",
		bound: 100 * time.Millisecond,
		begin: use(faultproxy.Faults{Responses: faultproxy.Direction{Corrupt: fail}}), end: calm,
	},
	{
		name: "one connection forgotten by a load balancer", sees: "who uses it waits for one timeout; of eight callers that can be all, as they share connections", heals: "the next use other connections",
		bound: timeout + 100*time.Millisecond,
		begin: func(_ *server, n network) { n.each((*faultproxy.Proxy).ForgetOne) }, end: calm,
	},
	{
		name: "10 of 20 servers silent for five seconds", lasts: 5 * time.Second,
		sees:  "each server is waited for once, with others who come meanwhile; then `ErrUnavailable` at once for its keys",
		heals: "attempts in the background; the other servers are not concerned", servers: 20,
		bound: 100 * time.Millisecond,
		begin: func(s *server, n network) {
			use(faultproxy.Faults{Requests: faultproxy.Direction{Swallow: true}})(s, n[:len(n)/2])
		},
		end: calm,
	},
	{
		name: "password changed for a second, connections reset", lasts: time.Second, secured: true,
		sees: "`ErrAuth` at once", heals: "attempts after pauses of 100 ms, doubled up to `RetryAfter`",
		bound: 1100 * time.Millisecond,
		begin: func(s *server, n network) { s.setPassword("another"); n.cut() },
		end:   func(s *server, _ network) { s.setPassword(password) },
	},
}

// isGet reports whether a piece is a GET, or more than one, of either protocol.
func isGet(p []byte) bool {
	return len(p) > 1 && p[0] == 0x80 && (p[1] == 0x00 || p[1] == 0x0c) || bytes.HasPrefix(p, []byte("get"))
}

// fail makes failures of the answers to GET. Other answers have a body of another
// length, or none.
func fail(p []byte) {
	if bytes.HasPrefix(p, []byte("END")) {
		copy(p, "ERR")
		return
	}
	for len(p) >= 24 && p[0] == 0x81 {
		if p[1] == 0x00 || p[1] == 0x0c {
			p[6], p[7] = 0, 0x86
		}
		p = p[min(len(p), 24+int(binary.BigEndian.Uint32(p[8:]))):]
	}
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
	s := startServer(t, f.secured)
	defer s.kill()
	var n network
	var addrs []string
	for range max(f.servers, 1) {
		n = append(n, faultproxy.Start(t, s.addr))
		addrs = append(addrs, n[len(n)-1].Addr())
	}
	defer n.each((*faultproxy.Proxy).Close)
	c, err := p.open(addrs, f.secured)
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
	f.begin(s, n)
	time.Sleep(lasts)
	f.end(s, n)
	ended := time.Now()
	for time.Since(ended) < limit && !l.quiet(ended) {
		time.Sleep(10 * time.Millisecond) // until it works again
	}
	result := l.seen(ended)
	close(stop)
	s.kill()
	n.each((*faultproxy.Proxy).Close) // which ends operations that have no limit
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
		err := calmly(func() error { return c.get(fmt.Sprint("key-", rand.IntN(keys))) })
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
