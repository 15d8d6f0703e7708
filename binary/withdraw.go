package memcached

import (
	"slices"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// withdraw takes the request of cl out of what no writer took yet, if it is
// there and claim returns true.
//
// The offsets of other calls stay as they are: what is withdrawn counts as
// written when the writer takes the rest. The queue keeps the call; the reader
// skips it.
func (o *outbox) withdraw(cl *call, claim func() bool) bool {
	at, ok := o.find(cl.opaque)
	n, hold := int(cl.size), cl.hold
	if !ok || !claim() { // once it is claimed cl may be the reader's
		return false
	}
	o.unsent -= n
	for i, s := range o.segments {
		if s.hold == hold {
			n -= len(s.value)
			o.segments = slices.Delete(o.segments, i, i+1)
			s.hold.release()
			break
		}
	}
	o.buf = slices.Delete(o.buf, at, at+n)
	for i := range o.segments {
		if o.segments[i].at > at {
			o.segments[i].at -= n
		}
	}
	return true
}

// find returns where in buf the frame with the given opaque begins.
func (o *outbox) find(opaque uint32) (at int, ok bool) {
	segments := o.segments
	var h wire.Header
	for at < len(o.buf) {
		if h.Decode(o.buf[at:]); h.Opaque == opaque {
			return at, true
		}
		at += wire.HeaderLen + int(h.BodyLen)
		if len(segments) > 0 && segments[0].at < at { // the value is not in buf
			at -= len(segments[0].value)
			segments = segments[1:]
		}
	}
	return 0, false
}
