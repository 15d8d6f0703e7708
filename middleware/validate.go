package middleware

import (
	"net/http"
	"time"

	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// validate has the handler confirm or replace a stored response before the
// request is answered.
func (x *exchange) validate(l lookup, age time.Duration) bool {
	s := slot{lookup: l, why: fwdStale, stale: l.entry}
	fresh := age < l.entry.Terms.Lifetime && !l.entry.Terms.NoCache
	if fresh {
		s.why = fwdRequest
	}
	switch {
	case x.original.Method == http.MethodHead:
		x.fill(s)
		return true
	case l.entry.Terms.NoCache, l.entry.Terms.Lifetime <= 0 && !l.entry.Expired, authorized(x.original.Header),
		len(x.original.Header["Range"]) > 0:
		// The outcome is for this request alone, or good only once.
		x.fill(s)
		return true
	case fresh, x.directives.NoCache, x.directives.MaxAge == 0:
		return x.reload(l, s.why, func(f *flight) bool {
			s.flight = f
			x.fill(s)
			return true
		})
	}
	key := x.cache.keys.of(letterRefresh, l.full)
	f, leads := x.cache.flights.join(key, l.at, l.token(l.version.id))
	if !leads {
		return x.follow(f, l)
	}
	x.leads = f
	lock, err := x.takeRefreshLock(key)
	switch {
	case err == nil:
		x.cache.flights.locked(f, x.cache.now(), l.token(l.version.id))
		s.flight, s.lock = f, lock
		x.fill(s)
		return true
	case lost(err):
		return x.await(f, key, s)
	default:
		x.cache.flights.land(f, outcome{})
		x.fault(key, err)
		x.fill(s)
		return true
	}
}

// freshened says what an answer that confirms a stored response does to it.
type freshened int

const (
	updated   freshened = iota // it is fresh again, with a new header
	unrelated                  // the answer is about another response
	forbidden                  // it must not be stored any longer
)

// freshen returns the entry that a 304 with this header makes of a stored one
// (RFC 9111, section 4.3.4), and what may be done with it besides answering the
// request.
func (f *fill) freshen(stale *stored.Entry, header http.Header) (*stored.Entry, freshened) {
	if etag := header.Get("Etag"); etag != "" && policy.IsStrong(etag) && etag != stale.Get("Etag") {
		return stale, unrelated
	}
	skip := policy.Unstorable(header, nil)
	update := stored.Delta(f.rec.before, header, func(name string) bool {
		return skip(name) || policy.KeptOnUpdate(name) || name == "Vary" || f.cache.isVisitors(name)
	})
	if header.Get("Date") == "" {
		update = append(update, dateField(f.received))
	}
	fresh := *stale
	fresh.ID, fresh.Expired, fresh.Key = stored.NewID(), false, f.name
	if f.index != nil {
		fresh.Index = f.index.ID
	}
	fresh.Fields = stored.Merge(stale.Fields, update)
	fresh.Received = f.received
	effective := f.rec.before.Clone()
	stored.Apply(effective, fresh.Fields, nil)
	if age, ok := header["Age"]; ok {
		effective["Age"] = age
	}
	if header.Get("Date") == "" {
		delete(effective, "Date") // made here and now
	}
	f.tagNames = f.tagsOf(effective)
	verdict := policy.Evaluate(f.response(stale.Status, f.effective(effective)), f.cache.policy)
	fresh.Terms = verdict.Terms
	f.verdict = verdict
	if !verdict.Store {
		return &fresh, forbidden
	}
	return &fresh, updated
}

func dateField(t time.Time) stored.Field {
	return stored.Only("Date", t.UTC().Format(http.TimeFormat))
}
