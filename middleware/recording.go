package middleware

import (
	"net/http"
	"sync"
)

// recordings bounds the memory for bodies: of responses that are being made and
// recorded, or of stored ones that are put together from chunks (bodies.go). Those have
// bounds of their own: nothing can be taken from a client that does not read a stored response,
// and a few of them must not keep the cache from storing others.
type recordings struct {
	mu   sync.Mutex // guards left and all
	left int64
	all  map[*recording]struct{} // those that hold some
}

// recording is the body of a response in the making. One goroutine appends; others may
// take the body away.
type recording struct {
	pool   *recordings
	heldUp func() bool // whether its client makes the handler wait

	mu   sync.Mutex // guards what follows
	body []byte
	held int64
	lost bool
}

// smallestRecording is the room that a recording takes at first.
const smallestRecording = 4 << 10

// take takes n bytes, if need be from recordings whose clients do not read.
func (p *recordings) take(n int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left < n {
		for r := range p.all {
			if r.heldUp() {
				p.drop(r)
			}
		}
	}
	if p.left < n {
		return false
	}
	p.left -= n
	return true
}

// drop takes the body of r away. The caller holds p.mu.
func (p *recordings) drop(r *recording) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.left += r.held
	r.body, r.held, r.lost = nil, 0, true
	delete(p.all, r)
}

// give gives n bytes back.
func (p *recordings) give(n int64) {
	if n > 0 {
		p.mu.Lock()
		p.left += n
		p.mu.Unlock()
	}
}

// grow makes room for n more bytes, or reports false: then the recording is over.
func (r *recording) grow(n int64) bool {
	r.mu.Lock()
	size, room, lost := int64(len(r.body)), r.held, r.lost
	r.mu.Unlock()
	if lost {
		return false
	}
	if size+n <= room {
		return true
	}
	want := max(size+n, min(2*room, room+1<<20), smallestRecording)
	if !r.pool.take(want - room) {
		r.end()
		return false
	}
	r.pool.mu.Lock()
	defer r.pool.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost { // meanwhile
		r.pool.left += want - room
		return false
	}
	r.body, r.held = append(make([]byte, 0, want), r.body...), want
	if r.pool.all == nil {
		r.pool.all = map[*recording]struct{}{}
	}
	r.pool.all[r] = struct{}{}
	return true
}

// add appends to the body, for which there is room.
func (r *recording) add(add func([]byte) []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.lost {
		r.body = add(r.body)
	}
}

// typeSoFar is what net/http takes for the type of the body.
func (r *recording) typeSoFar() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return http.DetectContentType(r.body)
}

// take returns the body, which nobody takes away any more, and whether it is there.
func (r *recording) take() ([]byte, bool) {
	r.pool.mu.Lock()
	defer r.pool.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.pool.all, r)
	return r.body, !r.lost
}

// end gives the memory back.
func (r *recording) end() {
	r.pool.mu.Lock()
	defer r.pool.mu.Unlock()
	r.pool.drop(r)
}
