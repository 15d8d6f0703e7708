package middleware

import (
	"bytes"

	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// maxKept is the size up to which a request has room of its own for what it finds. What is
// longer is counted, and those who send the same have it in common.
const maxKept = 64 << 10

// counted reports whether e is whole and takes more room than a request has.
func counted(e *stored.Entry) bool { return !e.Chunked() && len(e.Body) > maxKept }

// hold counts the body of e, which is whole, once for all who send it, and gives e the one
// that they have in common. It returns that, for leave, and whether it is that of e, or nil
// if there is no room for it. The memory of a body that is in room is used again when the
// last has left it, and does not belong to those who store or publish e: they pass nil, and
// have one of their own in common.
func (bs *bodies) hold(e *stored.Entry, room *jointLookup) (b *body, leads bool) {
	name := bodyName{key: e.Key, size: int64(len(e.Body)), pooled: room != nil}
	takes := name.size
	if room != nil {
		takes = min(int64(cap(room.answer.value)), bs.most) // one fits in any case
	}
	b, leads = bs.join(name, takes)
	if b != nil && !leads && !b.is(e) {
		bs.leave(b)
		name.id = e.ID
		b, leads = bs.join(name, takes)
	}
	switch {
	case b == nil:
	case leads:
		b.id, b.room = e.ID, room
		bs.finish(b, e.Body, nil)
	default:
		<-b.done // which is not for long: it was there
		e.Body = b.bytes
	}
	return b, leads
}

// is reports whether b is the body of e, or one that is equal: responses that were
// confirmed have another ID.
func (b *body) is(e *stored.Entry) bool {
	<-b.done
	return b.id == e.ID || bytes.Equal(b.bytes, e.Body)
}

// hold makes e, which only this request has, ready to be sent, or reports false if there
// is no room for it.
func (f *fast) hold(e *stored.Entry) bool {
	if !counted(e) {
		return true
	}
	b, leads := f.cache.bodies.hold(e, f.joint)
	if b == nil {
		return false
	}
	f.body = b
	if !leads && f.joint != nil {
		e.Detach()
		f.joint.leave()
	}
	f.joint = nil // it is the body's, or left
	return true
}

// hold returns e with the body that all have in common, or false if there is no room for
// it. What the request has held until now it needs no more.
func (x *exchange) hold(e *stored.Entry) (*stored.Entry, bool) {
	if !counted(e) {
		return e, true
	}
	held := *e // others may be reading e
	b, _ := x.cache.bodies.hold(&held, nil)
	if b == nil {
		return nil, false
	}
	x.cache.bodies.leave(x.body)
	x.body = b
	return &held, true
}
