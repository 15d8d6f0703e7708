package middleware

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// exchange is one GET or HEAD on its way through the cache.
type exchange struct {
	cache      *Cache
	visit      visit
	original   *http.Request
	page       []byte // its full key
	pageKey    string // its key in memcached
	host       string // as in the key
	query      string // as in the key
	directives policy.Directives
	start      time.Time
	spent      time.Duration // waiting for memcached
	body       *body         // that the entry uses, for leave
	deadline   time.Time     // until when to wait for the responses of others
	turn       *flight       // that this request is to lead, see reload.go
	leads      *flight       // that others may wait for until run returns
}

func (c *Cache) exchange(f *fast) *exchange {
	return &exchange{
		cache: c, visit: f.visit, original: f.visit.request(), page: bytes.Clone(f.full),
		pageKey: f.name, host: f.host, query: f.query, directives: f.directives, start: f.start,
	}
}

// maxLooks bounds how often a request goes back to memcached because what it
// waited for was not for it.
const maxLooks = 5

// run answers the request. found is what is known already, if anything.
func (x *exchange) run(found lookup) {
	defer x.landAll()
	for range maxLooks {
		if found.at.IsZero() {
			found = x.look()
		}
		if found.full == nil {
			found.full = x.page
		}
		if x.step(found) {
			return
		}
		if !x.deadline.IsZero() && x.cache.now().After(x.deadline) {
			break
		}
		found = lookup{}
		if err := x.original.Context().Err(); err != nil {
			x.giveUp(err)
			return
		}
	}
	x.direct(fwdURIMiss, "contended")
}

// giveUp ends a request whose context has ended while it waited for others. A deadline is
// the site's, and the client is there: the handler is asked, as without the cache. Whether
// a client is there whose request is cancelled nobody knows; an empty 200 it shall not get.
func (x *exchange) giveUp(why error) {
	if errors.Is(why, context.DeadlineExceeded) {
		x.direct(fwdURIMiss, "deadline")
		return
	}
	x.visit.stop()
	w := x.visit.writer()
	addStatus(w.Header(), forwardStatus{why: fwdURIMiss, detail: "cancelled"}.String())
	sendHeader(w, http.StatusServiceUnavailable)
	x.event(EventMiss, x.pageKey, 0)
}

// landAll ends the flights for which this request is responsible, if they have not
// ended: also when something panics that is not the handler.
func (x *exchange) landAll() {
	x.passTurn()
	if x.leads != nil {
		x.cache.flights.land(x.leads, outcome{})
	}
}

// step acts on what was found, and reports false to have it looked for again.
func (x *exchange) step(l lookup) bool {
	authorized := authorized(x.original.Header)
	switch {
	case l.state == stateFailed && !x.directives.OnlyIfCached:
		x.direct(fwdBypass, "unavailable")
		return true
	case l.state == stateNoRoom && !x.directives.OnlyIfCached:
		x.direct(fwdBypass, "no-room")
		return true
	case l.state == stateStored && authorized && !l.entry.Terms.AllowAuthorized:
		x.direct(fwdBypass, "authorization")
		return true
	case l.state == stateStored:
		return x.reuse(l)
	case x.directives.OnlyIfCached:
		x.onlyIfCached()
		return true
	case x.original.Method == http.MethodHead:
		x.direct(x.missReason(l), "")
		return true
	case len(x.original.Header["Range"]) > 0:
		x.direct(fwdPartial, "")
		return true
	case l.state == statePass:
		x.fill(slot{lookup: l, why: x.missReason(l), detail: "hit-for-miss"})
		return true
	case authorized:
		return x.alone(l, nil)
	case x.directives.NoCache, x.directives.MaxAge == 0:
		return x.reload(l, x.missReason(l), func(f *flight) bool { return x.alone(l, f) })
	default:
		return x.miss(l)
	}
}

func (x *exchange) missReason(l lookup) forward {
	if l.index != nil {
		return fwdVary
	}
	return fwdURIMiss
}

// reuse answers with a stored response, now or after validation.
func (x *exchange) reuse(l lookup) bool {
	age := l.entry.Age(x.cache.now())
	if l.readOnly {
		age = l.entry.Age(l.at) // at which it was found fresh
	}
	switch policy.Judge(l.entry.Terms, age, x.directives) {
	case policy.Fresh:
		x.sendStored(l, age)
		return true
	case policy.Revalidate:
		if x.refreshLater(l) {
			x.sendStored(l, age)
		}
		return true
	}
	if x.directives.OnlyIfCached {
		x.onlyIfCached()
		return true
	}
	return x.validate(l, age)
}

// sendStored sends an entry and says so.
func (x *exchange) sendStored(l lookup, age time.Duration) {
	x.passTurn()
	kind, detail := EventHit, ""
	if age >= l.entry.Terms.Lifetime {
		kind, detail = EventStale, "stale"
	}
	_ = x.cache.send(x.visit, l.entry, age, appendHit(nil, l.entry.Terms.Lifetime-age, detail))
	x.event(kind, l.name, age)
}

// onlyIfCached is RFC 9111, section 5.2.1.7.
func (x *exchange) onlyIfCached() {
	x.visit.stop()
	w := x.visit.writer()
	addStatus(w.Header(), cacheName+"; detail=only-if-cached")
	sendHeader(w, http.StatusGatewayTimeout)
	x.event(EventMiss, x.pageKey, 0)
}

// direct runs the handler for this request alone and stores nothing.
func (x *exchange) direct(why forward, detail string) {
	x.fill(slot{lookup: lookup{name: x.pageKey, full: x.page}, why: why, detail: detail, private: true})
}

// header returns the request's header as the handler will see it, in respect of
// what selects a variant.
func (x *exchange) header(ix *stored.Index) http.Header {
	return x.cache.selecting(x.original.Header, ix)
}

// within runs an operation on memcached in the time that is left for it.
func (x *exchange) within(f func(context.Context) error) error {
	left := x.cache.opts.LookupTimeout - x.spent
	if left <= 0 {
		return context.DeadlineExceeded
	}
	ctx, cancel := detached(x.original.Context(), left)
	defer cancel()
	began := time.Now()
	err := f(ctx)
	x.spent += time.Since(began)
	return err
}

func (x *exchange) fault(key string, err error) {
	x.cache.fault(key, x.spent, err)
}

func (x *exchange) event(kind EventKind, key string, age time.Duration) {
	if x.cache.opts.OnEvent != nil {
		x.cache.event(Event{Kind: kind, Key: key, Age: age, Duration: x.cache.now().Sub(x.start)})
	}
}
