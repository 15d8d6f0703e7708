package middleware

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
)

// refreshTimeout bounds a revalidation in the background.
const refreshTimeout = time.Minute

// errand is in the context of a request by which the cache revalidates a stored
// response through the engine.
type errand struct {
	cache  *Cache
	page   string // key in memcached of the page that is revalidated
	lock   *lock
	flight *flight
	done   atomic.Bool // the request has come to the cache
}

type errandContext struct{}

// errandOf returns the errand of a request of c, until it has been done.
func errandOf(r *http.Request, c *Cache) *errand {
	if c.opts.Engine == nil {
		return nil
	}
	e, _ := r.Context().Value(errandContext{}).(*errand)
	if e == nil || e.cache != c || e.done.Load() {
		return nil
	}
	return e
}

// refreshLater has a stale response revalidated by one process, in the
// background. It reports false if this request is to do it, because there is no
// engine and nobody else does.
func (x *exchange) refreshLater(l lookup) bool {
	c := x.cache
	key := c.keys.of(letterRefresh, l.full)
	f, leads := c.flights.join(key, l.at, l.token(l.version.id))
	if !leads {
		c.flights.leave(f)
		return true
	}
	if c.opts.Engine == nil {
		x.leads = f
		return !x.refreshHere(f, key, l)
	}
	request := x.original.Clone(x.original.Context()) // the original is not ours once it is answered
	asSent(request)
	if !c.spawn(c.refreshes, func() { c.refreshNow(request, x.pageKey, key, f, l.token(l.version.id)) }) {
		c.flights.land(f, outcome{})
	}
	return true
}

// refreshHere revalidates a stale response before it answers the request, or
// reports false if another process does it.
func (x *exchange) refreshHere(f *flight, key string, l lookup) bool {
	lock, err := x.takeLock(key, version{})
	if err != nil {
		x.cache.flights.land(f, outcome{})
		return false
	}
	x.cache.flights.locked(f, x.cache.now(), l.token(l.version.id))
	x.fill(slot{lookup: l, why: fwdStale, stale: l.entry, flight: f, lock: lock})
	return true
}

// refreshNow sends the request through the engine, to have the entry of the page with
// the token stale revalidated, under the lock at key. Its context has the values of the
// original one and a life of its own.
func (c *Cache) refreshNow(r *http.Request, page, key string, f *flight, stale uint64) {
	defer c.flights.land(f, outcome{})
	ctx, cancel := detached(r.Context(), refreshTimeout)
	defer cancel()
	defer context.AfterFunc(c.stopped, cancel)()
	lock, err := c.takeLock(ctx, key, version{})
	if err != nil {
		if !isAnswer(err) {
			c.fault(key, 0, err)
		}
		return
	}
	c.flights.locked(f, c.now(), stale)
	e := &errand{cache: c, page: page, lock: lock, flight: f}
	defer c.pauseRefresh(ctx, lock)
	defer func() {
		if cause := recover(); cause != nil {
			c.logPanic("middleware: handler panicked while revalidating", cause)
		}
	}()
	request := r.WithContext(context.WithValue(withoutState{ctx}, errandContext{}, e))
	c.opts.Engine.ServeHTTP(&discardWriter{header: http.Header{}}, request)
	if !e.done.Load() && ctx.Err() == nil && c.strayLog.due(c.now()) {
		c.opts.Logger.Warn("middleware: a revalidation in the background did not come to its page in the cache: " +
			"Options.Engine must be the outermost handler, with the cache in it, and let such requests through")
	}
}

// pauseRefresh leaves a note where the lock of a revalidation in the background
// still is, because nothing came of it. It keeps the next attempt away for a
// while, but is nothing to wait for.
func (c *Cache) pauseRefresh(ctx context.Context, l *lock) {
	ctx, cancel := detached(ctx, c.opts.LookupTimeout)
	defer cancel()
	if _, err := l.leaveNote(ctx); !isAnswer(err) {
		c.fault(l.key, 0, err)
	}
}

// refresh is what the handler does for a request of refreshNow.
func (x *exchange) refresh(e *errand) {
	e.done.Store(true)
	defer func() { x.cache.bodies.leave(x.body) }()
	defer x.visit.stop()
	x.directives = policy.ParseRequest(nil)
	l := x.look()
	if l.state != stateStored {
		return // purged meanwhile, or out of reach
	}
	if policy.Judge(l.entry.Terms, l.entry.Age(x.cache.now()), x.directives) == policy.Fresh {
		return
	}
	x.fill(slot{
		lookup: l, why: fwdStale, stale: l.entry, flight: e.flight,
		lock: e.lock, background: true,
	})
}
