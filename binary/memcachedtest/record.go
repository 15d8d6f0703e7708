package memcachedtest

import (
	"sync"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// maxRecorded is how many requests a server remembers.
const maxRecorded = 4096

// Request is a request as it arrived, whether or not it was carried out.
type Request struct {
	// Conn is the number of the connection: 1 for the first that was made.
	Conn uint64
	// Op is the protocol's name of the operation: OpGet, OpSetQ, OpSASLAuth and
	// so on.
	Op string
	// Key is the key; the group of a STAT; the mechanism of SASL requests.
	Key string
	// ValueLen is the length of the value in bytes.
	ValueLen int
	// CAS is the version that the request asks for, or 0.
	CAS uint64
	// Opaque is the number that the answer repeats.
	Opaque uint32
}

// recorder remembers the latest requests. Recording allocates nothing once the
// ring is full.
type recorder struct {
	mu     sync.Mutex // guards what follows
	ring   []recorded
	next   int
	total  uint64
	counts [256]uint64 // by opcode
}

type recorded struct {
	header wire.Header
	conn   uint64
	key    []byte
}

func (r *recorder) add(conn uint64, req *request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total++
	r.counts[req.Opcode]++
	if len(r.ring) < maxRecorded {
		r.ring = append(r.ring, recorded{})
		r.next = len(r.ring) - 1
	}
	slot := &r.ring[r.next]
	slot.header, slot.conn = req.Header, conn
	slot.key = append(slot.key[:0], req.key...)
	r.next = (r.next + 1) % maxRecorded
}

func (r *recorder) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ring, r.next, r.total = nil, 0, 0
	clear(r.counts[:])
}

// newRequest is what users see of a request.
func newRequest(conn uint64, h *wire.Header, key []byte) Request {
	return Request{
		Conn:     conn,
		Op:       h.Opcode.String(),
		Key:      string(key),
		ValueLen: max(0, h.ValueLen()),
		CAS:      h.CAS,
		Opaque:   h.Opaque,
	}
}

// Requests returns the requests that arrived since the server was made or
// ForgetRequests was called, oldest first, up to the latest 4,096. Every request
// that was answered before the call is among them.
func (s *Server) Requests() []Request {
	r := &s.requests
	r.mu.Lock()
	defer r.mu.Unlock()
	first := 0
	if len(r.ring) == maxRecorded {
		first = r.next
	}
	requests := make([]Request, 0, len(r.ring))
	for i := range r.ring {
		slot := &r.ring[(first+i)%len(r.ring)]
		requests = append(requests, newRequest(slot.conn, &slot.header, slot.key))
	}
	return requests
}

// RequestCount returns the number of requests since the server was made or
// ForgetRequests was called: of the named operations, or of all if none is
// named.
func (s *Server) RequestCount(ops ...string) uint64 {
	r := &s.requests
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(ops) == 0 {
		return r.total
	}
	var n uint64
	for code, count := range r.counts {
		for _, op := range ops {
			if count > 0 && wire.Opcode(code).String() == op {
				n += count
			}
		}
	}
	return n
}

// ForgetRequests begins a new record.
func (s *Server) ForgetRequests() { s.requests.clear() }
