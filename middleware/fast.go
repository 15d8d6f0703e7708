package middleware

import (
	"bytes"
	"errors"
	"sync"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// fast is a request that may be answered at once, because the stored response is
// fresh. It asks for as much as one round trip can bring. After recycle it is used
// for another request. What it cannot answer, an exchange does.
type fast struct {
	cache      *Cache
	visit      visit
	full       []byte // room of its own
	name       string
	host       string // as in the key
	query      string // as in the key
	directives policy.Directives
	start      time.Time
	own        answer       // room for what memcached answers
	joint      *jointLookup // whose answer is used, for leave
	status     []byte       // room for Cache-Status
	body       *body        // that the entry uses, for leave
	sending    bool         // somebody may be reading what was found
}

var fasts = sync.Pool{New: func() any {
	return &fast{full: make([]byte, 0, 256), own: answer{value: make([]byte, 0, 4<<10)}, status: make([]byte, 0, 64)}
}}

func (c *Cache) newFast(v visit, d policy.Directives, start time.Time) *fast {
	f := fasts.Get().(*fast)
	f.cache, f.visit, f.directives, f.start = c, v, d, start
	return f
}

func (f *fast) recycle() {
	f.leave()
	f.visit, f.name, f.host, f.query, f.full = nil, "", "", "", f.full[:0]
	if f.own.value != nil && cap(f.own.value) <= maxKept && cap(f.full) <= maxKept {
		fasts.Put(f)
	}
}

// serve answers the request and reports true, or returns what it learned.
func (f *fast) serve() (served bool, found lookup) {
	h := f.cache.hints.get(f.name)
	if h != nil && !h.large {
		return f.serveHinted(h)
	}
	a, err := f.lookUp(h)
	if err == nil && a.whole && f.serveEntry(&a.entry) {
		return true, lookup{}
	}
	f.leave()
	switch {
	case errors.Is(err, memcached.ErrCacheMiss):
		return false, f.learned(stateMissing)
	case err != nil:
		f.cache.fault(f.name, f.cache.now().Sub(f.start), err)
		return false, f.learned(stateFailed)
	default:
		return false, lookup{}
	}
}

// leave says that the request needs what it found no more.
func (f *fast) leave() {
	if f.sending {
		f.sending = false
		f.spoil()
	}
	f.cache.bodies.leave(f.body)
	f.joint.leave()
	f.body, f.joint = nil, nil
}

// spoil keeps the memory of what was found from being used again. HTTP/2 may go on reading
// what it was given to write when it has said that the client is gone.
func (f *fast) spoil() {
	f.own = answer{}
	f.joint.spoil()
	if f.body != nil {
		f.body.room.spoil()
	}
}

func (f *fast) learned(s state) lookup {
	return lookup{state: s, at: f.start, name: f.name}
}

// lookUp returns what memcached has, in room of its own, or in one that others read too.
// A hint says that it is large.
func (f *fast) lookUp(large *hint) (a *answer, err error) {
	own, pool := &f.own, &answers
	if large != nil {
		pool = &largeAnswers
		own = pool.Get().(*answer)
	}
	ctx := f.cache.deadlines.detached(f.visit.request().Context(), f.start)
	f.joint, err = f.cache.lookups.lookUp(ctx, f.start, f.cache.client, f.name, own, pool)
	switch {
	case f.joint != nil && large != nil:
		own.recycle()
	case f.joint != nil:
	case large != nil:
		f.joint = lookedUpAlone(own)
	case own.whole && counted(&own.entry):
		moved := f.own
		f.own = answer{}
		f.joint = lookedUpAlone(&moved)
	default:
		return own, err
	}
	a = f.joint.answer
	f.learnSize(a, large)
	return a, err
}

// learnSize remembers whether the page is large. known is what says so now.
func (f *fast) learnSize(a *answer, known *hint) {
	switch large := a.whole && counted(&a.entry); {
	case large && known == nil:
		f.cache.hints.put(&hint{page: f.name, large: true})
	case a.whole && !large && known != nil:
		f.cache.hints.forget(known)
	}
}

// serveEntry answers with the entry of the page, if that is all it takes. Others may be
// reading it.
func (f *fast) serveEntry(e *stored.Entry) bool {
	if e.Chunked() || len(e.Tags) > 0 || counted(e) {
		if !f.mayUse(e) {
			return false
		}
		completed := *e
		e = &completed
		if !f.complete(e) {
			return false
		}
	}
	return f.send(e)
}

// complete fetches chunks and what is known of the tags, and remembers these, and takes
// part in a large body.
func (f *fast) complete(e *stored.Entry) bool {
	if !e.Chunked() && len(e.Tags) == 0 {
		return f.hold(e)
	}
	left := f.cache.opts.LookupTimeout - f.cache.now().Sub(f.start)
	ctx, cancel := detached(f.visit.request().Context(), left)
	defer cancel()
	ok, err := f.cache.complete(ctx, e, &f.body)
	if err == nil && ok && len(e.Tags) > 0 && !e.Chunked() {
		f.cache.hintOf(f.name, nil, e)
	}
	return err == nil && ok && f.hold(e)
}

// hintOf remembers what a page needs.
func (c *Cache) hintOf(page string, ix *stored.Index, e *stored.Entry) {
	h := &hint{page: page, index: ix}
	for _, t := range e.Tags {
		h.tags = append(h.tags, c.keys.tag(t.Name))
	}
	c.hints.put(h)
}

// serveHinted answers a page with variants or tags in one round trip.
func (f *fast) serveHinted(h *hint) (served bool, found lookup) {
	keys := make([]string, 1, 2+len(h.tags))
	keys[0] = f.name
	if h.index != nil {
		variant := appendVariant(bytes.Clone(f.full), h.index, f.cache.selecting(f.visit.request().Header, h.index))
		keys = append(keys, f.cache.keys.of(letterVariant, variant))
	}
	keys = append(keys, h.tags...)
	items, err := f.cache.client.GetMulti(f.cache.deadlines.detached(f.visit.request().Context(), f.start), keys)
	if err != nil {
		f.cache.fault(f.name, f.cache.now().Sub(f.start), err)
		return false, f.learned(stateFailed)
	}
	e := f.pick(h, items, keys)
	if e == nil {
		return false, lookup{}
	}
	return f.mayUse(e) && f.hold(e) && f.send(e), lookup{}
}

// pick returns the entry among items, or nil if the hint was wrong.
func (f *fast) pick(h *hint, items map[string]*memcached.Item, keys []string) *stored.Entry {
	key, item := f.name, items[f.name]
	if h.index != nil {
		if item == nil {
			return nil
		}
		if v, err := stored.Open(item.Value); err != nil || v.Kind != stored.KindIndex || v.ID != h.index.ID {
			f.cache.hints.forget(h)
			return nil
		}
		key = keys[1]
		item = items[key]
	}
	e := new(stored.Entry)
	if v, err := stored.Open(valueOf(item)); err != nil || v.Entry(e, key) != nil || e.Chunked() {
		return nil
	}
	h.index.Check(e)
	if !f.cache.checkTags(e, items) {
		f.cache.hints.forget(h)
		return nil
	}
	return e
}

// mayUse reports whether e answers the request as it is.
func (f *fast) mayUse(e *stored.Entry) bool {
	if authorized(f.visit.request().Header) && !e.Terms.AllowAuthorized {
		return false
	}
	age := e.Age(f.start)
	return age < e.Terms.Lifetime && policy.Judge(e.Terms, age, f.directives) == policy.Fresh
}

func (f *fast) send(e *stored.Entry) bool {
	if !f.mayUse(e) {
		return false
	}
	age := e.Age(f.start)
	f.status = appendHit(f.status[:0], e.Terms.Lifetime-age, "")
	f.sending = true // also when the write panics
	f.sending = f.cache.send(f.visit, e, age, f.status) != nil
	if f.cache.opts.OnEvent != nil {
		f.cache.event(Event{Kind: EventHit, Key: f.name, Age: age, Duration: f.cache.now().Sub(f.start)})
	}
	return true
}
