package middleware

import (
	"time"

	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
)

// A request may ask for the handler's word although a response is stored and fresh:
// no-cache, max-age, Pragma. Such requests for one response share runs, in this process:
// those that come while the handler runs for one of them wait for the next run, which
// begins after they came. So a storm of reloads costs one run after the other, and
// nobody gets what is older than his request. Requests with credentials, for a range or
// with HEAD have a run each.

// longestTurn is how long those who ask for the handler's word wait for a run that began
// before they came. Then theirs begins beside it.
const longestTurn = time.Second

// joinNext returns the flight of key whose run begins after now, and whether the caller
// leads it: after the flight before, if that is not nil, and then says so with begin.
func (fs *flights) joinNext(key string) (f, before *flight, leads bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	current := fs.m[key]
	switch {
	case current == nil:
		return fs.open(key), nil, true
	case !current.begun:
		current.waiting++
		return current, nil, false
	case current.next == nil:
		current.next = newFlight(key)
		return current.next, current, true
	default:
		current.next.waiting++
		return current.next, nil, false
	}
}

// begin says that the run of a flight that joinNext returned begins: who comes later
// joins the next.
func (fs *flights) begin(f *flight) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f.begun = true
	fs.m[f.key] = f
}

// reload has the handler asked by one of those who want its word at the same time. run
// does that for the flight that it is given, or reports false to look again. l is what is
// known, and why says why the handler is asked.
func (x *exchange) reload(l lookup, why forward, run func(*flight) bool) bool {
	f := x.turn
	if f == nil {
		key := x.cache.keys.of(letterReload, l.full)
		joined, before, leads := x.cache.flights.joinNext(key)
		if !leads {
			return x.followAs(joined, l, demanding(x.directives), why)
		}
		if before != nil {
			return x.awaitTurn(joined, before)
		}
		f = joined
	}
	x.turn, x.leads = nil, f
	x.cache.flights.begin(f)
	if !run(f) {
		x.turn, x.leads = f, nil
		return false
	}
	return true
}

// awaitTurn waits for the run of before, and has the response looked for again, which
// that run may have replaced.
func (x *exchange) awaitTurn(f, before *flight) bool {
	x.turn = f
	x.beginWaiting()
	timer := time.NewTimer(longestTurn)
	defer timer.Stop()
	select {
	case <-before.done:
	case <-timer.C:
	case <-x.original.Context().Done():
	}
	return false
}

// passTurn gives up the flight that this request was to lead: those who follow it look
// again.
func (x *exchange) passTurn() {
	if f := x.turn; f != nil {
		x.turn = nil
		x.cache.flights.land(f, outcome{again: true})
	}
}

// demanding returns what a response that is made after the request came must still
// satisfy of its directives.
func demanding(d policy.Directives) policy.Directives {
	d.NoCache = false
	if d.MaxAge == 0 {
		d.MaxAge = policy.Absent
	}
	return d
}
