package middleware

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// end finishes a run whose handler returned. good says that nothing went wrong
// on the way.
func (f *fill) end(good bool) {
	switch {
	case f.confirmed:
		f.endConfirmed(good)
	case f.covered:
		f.endCovered()
	case good && f.verdict.Store && f.rec.whole() && f.rec.headerStands() && !f.touched() && !f.rec.repeatsNonce():
		f.endStored()
	default:
		f.dismiss()
		f.endUnstored(good)
	}
}

// endConfirmed answers with the stale response, which the handler said is good.
func (f *fill) endConfirmed(good bool) {
	e, what := f.freshen(f.stale, f.rec.header)
	good = good && what == updated && !f.touched() && !f.cache.setsCookie(f.ownCookies(f.rec.Header()))
	if good {
		good = f.publish(e, f.index)
	} else {
		f.dismiss()
	}
	f.respond(e, forwardStatus{why: f.why, status: http.StatusNotModified, stored: good})
	f.event(EventRevalidated, f.name, e.Age(f.received))
	if good && !f.rec.lateCookie() && !f.rec.latePrivate() {
		f.store(e, f.index)
		return
	}
	if what == forbidden {
		f.discard()
	}
	f.unlock()
}

// endCovered answers with the stale response because the handler failed.
func (f *fill) endCovered() {
	f.dismiss()
	f.respond(f.stale, forwardStatus{why: f.why, status: f.rec.status, detail: "stale-if-error"})
	f.event(EventStale, f.name, f.stale.Age(f.cache.now()))
	f.unlock()
}

// respond sends an entry, also in the background: layers above may make it private.
func (f *fill) respond(e *stored.Entry, s forwardStatus) {
	f.rec.withdraw(!f.cache.opts.StoreSetCookie)
	_ = f.cache.send(f.visit, e, e.Age(f.cache.now()), []byte(s.String()))
}

func (f *fill) endStored() {
	e := f.newEntry()
	ix := f.variantOf(e)
	f.event(EventMiss, f.name, 0)
	if f.publish(e, ix) {
		f.store(e, ix)
	}
}

// publish gives e, which ix leads to, to those who wait for it. It reports false if one
// of its tags was purged meanwhile: then they look again, and e is not stored.
func (f *fill) publish(e *stored.Entry, ix *stored.Index) bool {
	current, err := f.mayPublish(e)
	switch {
	case err != nil: // memcached will tell those who wait, or they do without
		f.fault(f.name, err)
		f.land(outcome{again: true})
	case !current:
		f.unlock()
		f.land(outcome{again: true})
		return false
	default:
		f.land(outcome{entry: e, index: ix})
	}
	return true
}

// endUnstored gives the lock back; a note that requests need not wait for each
// other may have taken its place already.
func (f *fill) endUnstored(good bool) {
	f.event(EventMiss, f.name, 0)
	if good && f.rec.act.pass && f.rec.status == http.StatusOK && f.request.Method == http.MethodHead && f.stale != nil &&
		!f.touched() && f.rec.headerStands() {
		f.compareHead()
	}
	f.unlock()
}

// panicked ends a run whose handler did not return. It reports whether a stale
// response may cover that up; otherwise the panic goes on to whoever recovers it.
func (f *fill) panicked() (cover bool) {
	f.land(outcome{})
	if !(f.rec.committed && f.rec.act.pass) && f.covers(policy.Unreachable) {
		return true
	}
	f.event(EventMiss, f.name, 0)
	f.unlock()
	return false
}

// cover sends the stale response instead of a panic. A nil cause is that of
// runtime.Goexit, which nothing covers.
func (f *fill) cover(cause any) {
	if cause == nil {
		f.unlock()
		return
	}
	f.cache.logPanic("middleware: handler panicked, sending a stale response", cause)
	f.rec.status = http.StatusInternalServerError
	f.endCovered()
}

// land ends the flight.
func (f *fill) land(o outcome) {
	f.landed = true
	if f.flight != nil {
		f.cache.flights.land(f.flight, o)
	}
}

// compareHead removes a stored response that the answer to a HEAD contradicts
// (RFC 9111, section 4.3.5), and freshens one that it confirms.
func (f *fill) compareHead() {
	header := f.rec.header
	for _, name := range []string{"Etag", "Last-Modified", "Content-Length"} {
		lines, ok := header[name]
		had := f.stale.Get(name)
		if name == "Etag" && f.stale.MadeETag {
			continue
		}
		if name == "Content-Length" {
			had = strconv.Itoa(len(f.stale.Body))
		}
		if ok && !slices.Equal(lines, []string{had}) {
			f.discard()
			return
		}
	}
	switch e, what := f.freshen(f.stale, header); what {
	case updated:
		f.store(e, f.index)
	case forbidden:
		f.discard()
	}
}

// discard removes the stored response that this run was about.
func (f *fill) discard() {
	err := f.within(func(ctx context.Context) error { return f.cache.remove(ctx, f.name, f.version) })
	if !isAnswer(err) {
		f.fault(f.name, err)
	}
}
