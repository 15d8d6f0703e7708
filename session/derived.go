package session

import (
	"encoding/binary"
	"sync/atomic"
)

// derived is what follows from an ID: where its record is, and how it is sealed.
type derived struct {
	id       id
	location string
	sealedAt string // location as the server knows it
	public   string
	sealers  []atomic.Pointer[sealer] // by key pair, made when needed
}

// derivedCache keeps what follows from the IDs that were used last, because a browser's requests
// come in bursts and deriving costs as much as the rest of opening a record.
// Each ID has one place, which is also that of others: the last one replaces the
// one before, and nobody waits. At 1.5 KB each that is 1.5 MB at most.
type derivedCache [1024]atomic.Pointer[derived]

// of returns what follows from an ID.
func (s *Store) of(i id) *derived {
	place := &s.derived[binary.LittleEndian.Uint64(i[:])%uint64(len(s.derived))]
	if d := place.Load(); d != nil && d.id == i {
		return d
	}
	d := &derived{
		id:       i,
		location: i.location(s.opts.Prefix),
		public:   i.public(),
		sealers:  make([]atomic.Pointer[sealer], len(s.pairs)),
	}
	d.sealedAt = s.above + d.location
	place.Store(d)
	return d
}

// sealer seals and opens the ID's record under a key pair.
func (d *derived) sealer(pairs []pair, n int) *sealer {
	if made := d.sealers[n].Load(); made != nil {
		return made
	}
	made := newSealer(pairs[n].seal, pairs[n].id, "session", d.id[:], d.sealedAt)
	d.sealers[n].Store(made)
	return made
}

// forget drops what follows from an ID that is not to be used any more.
func (s *Store) forget(i id) {
	place := &s.derived[binary.LittleEndian.Uint64(i[:])%uint64(len(s.derived))]
	if d := place.Load(); d != nil && d.id == i {
		place.CompareAndSwap(d, nil)
	}
}
