package middleware

import (
	"context"
	"sync"

	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// bodies are those of stored responses that are being sent: put together from chunks, or
// large (hold.go). Requests for the same response have one in common, which is in memory
// until the last of them is answered: clients that do not read take no more than one does.
type bodies struct {
	room recordings // bounds the memory for them
	most int64      // of that memory: as much as the largest body takes, or more

	mu  sync.Mutex // guards all, and the users of each
	all map[bodyName]*body
}

// bodyName tells bodies apart: two with the same name are the same.
type bodyName struct {
	key             string // of the entry
	id              uint64
	size, chunkSize int64
	pooled          bool // in room that is used again
}

// body is one that is put together, or was, or came whole.
type body struct {
	name  bodyName
	takes int64 // bytes of memory
	users int

	done  chan struct{} // closed when what follows is there
	bytes []byte        // nil: it could not be put together
	err   error         // why memcached could not tell

	// Of a body that came whole.
	id   uint64       // of its entry
	room *jointLookup // in which it is, for leave
}

func nameOfBody(e *stored.Entry) bodyName {
	return bodyName{key: e.Key, id: e.BodyID, size: e.Size, chunkSize: e.ChunkSize}
}

// join returns the body of this name, and whether the caller is to finish it, or nil if
// there is no room for as much as it takes. leave must follow.
func (bs *bodies) join(name bodyName, takes int64) (b *body, leads bool) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	if b = bs.all[name]; b != nil {
		b.users++
		return b, false
	}
	if !bs.room.take(takes) {
		return nil, false
	}
	if bs.all == nil {
		bs.all = map[bodyName]*body{}
	}
	b = &body{name: name, takes: takes, users: 1, done: make(chan struct{})}
	bs.all[name] = b
	return b, true
}

// finish says what came of b. What did not come off is tried again by whoever comes.
func (bs *bodies) finish(b *body, bytes []byte, err error) {
	b.bytes, b.err = bytes, err
	close(b.done)
	if bytes != nil {
		return
	}
	bs.mu.Lock()
	defer bs.mu.Unlock()
	if bs.all[b.name] == b {
		delete(bs.all, b.name)
	}
}

// leave says that one user needs b no more. A nil body is none.
func (bs *bodies) leave(b *body) {
	if b == nil || !bs.remove(b) {
		return
	}
	bs.room.give(b.takes)
	b.room.leave()
}

// remove takes a user from b, and reports whether it was the last.
func (bs *bodies) remove(b *body) bool {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	if b.users--; b.users > 0 {
		return false
	}
	if bs.all[b.name] == b {
		delete(bs.all, b.name)
	}
	return true
}

// bodyTries bounds how often a request waits for the body of another, whose lookup fails.
const bodyTries = 3

// addBody gives e, which is in chunks, its body, and checks its tags. It reports whether
// e is whole, and then which body it uses, for leave.
func (c *Cache) addBody(ctx context.Context, e *stored.Entry) (ok bool, used *body, err error) {
	for range bodyTries {
		b, leads := c.bodies.join(nameOfBody(e), e.Size)
		if b == nil {
			return false, nil, errNoRoom
		}
		if leads {
			if ok, err = c.lead(ctx, e, b); !ok {
				return false, nil, err
			}
			return true, b, nil
		}
		select {
		case <-b.done:
		case <-ctx.Done():
			c.bodies.leave(b)
			return false, nil, ctx.Err()
		}
		switch {
		case b.bytes != nil:
			if ok, err = c.readTagsOf(ctx, e); ok {
				e.Body = b.bytes
				return true, b, nil
			}
			c.bodies.leave(b)
			return false, nil, err
		case b.err == nil:
			c.bodies.leave(b)
			return false, nil, nil
		}
		err = b.err
		c.bodies.leave(b)
	}
	return false, nil, err
}

// lead puts the body of e together for all who join b. It leaves b unless that comes
// off.
func (c *Cache) lead(ctx context.Context, e *stored.Entry, b *body) (ok bool, err error) {
	defer func() {
		c.bodies.finish(b, e.Body, err)
		if !ok {
			c.bodies.leave(b)
		}
	}()
	return c.assemble(ctx, e)
}

// assemble puts the body of e together, and checks its tags in the same round trip.
func (c *Cache) assemble(ctx context.Context, e *stored.Entry) (ok bool, err error) {
	defer func() {
		if !ok {
			e.Body = nil
		}
	}()
	n := e.Chunks()
	for from := 0; ; from += chunksAtOnce {
		keys := c.chunkKeys(e, from, min(n, from+chunksAtOnce))
		chunks := len(keys)
		if from == 0 {
			keys = c.appendTagKeys(keys, e)
		}
		items, err := c.client.GetMulti(ctx, keys)
		if err != nil {
			return false, err
		}
		if from == 0 && !c.checkTags(e, items) {
			return false, nil
		}
		values := make([][]byte, chunks)
		for i := range values {
			values[i] = valueOf(items[keys[i]])
		}
		if !e.Append(from, values) {
			return false, nil
		}
		if from+chunks >= n {
			return true, nil
		}
	}
}
