package session

import (
	"encoding/binary"
	"sync/atomic"
)

// derived is what follows from an ID: where its entry is, and how it is sealed.
type derived struct {
	id       id
	location string
	public   string
	sealers  []atomic.Pointer[sealer] // by key pair, made when needed
}

// recent keeps what follows from the IDs of late, because a browser's requests
// come in bursts and deriving costs as much as the rest of opening an entry.
// Each ID has one place, which it shares with others: nothing has to be evicted
// and nobody waits. At 1.5 KB each that is 1.5 MB at most.
type recent [1024]atomic.Pointer[derived]

// of returns what follows from an ID.
func (s *Store) of(i id) *derived {
	place := &s.recent[binary.LittleEndian.Uint64(i[:])%uint64(len(s.recent))]
	if d := place.Load(); d != nil && d.id == i {
		return d
	}
	d := &derived{
		id:       i,
		location: i.location(s.opts.Prefix),
		public:   i.public(),
		sealers:  make([]atomic.Pointer[sealer], len(s.pairs)),
	}
	place.Store(d)
	return d
}

// sealer seals and opens the ID's entry under a key pair.
func (d *derived) sealer(pairs []pair, n int) *sealer {
	if made := d.sealers[n].Load(); made != nil {
		return made
	}
	made := newSealer(pairs[n].seal, pairs[n].id, "session", d.id[:], d.location)
	d.sealers[n].Store(made)
	return made
}

// forget drops what follows from an ID that is not to be used any more.
func (s *Store) forget(i id) {
	place := &s.recent[binary.LittleEndian.Uint64(i[:])%uint64(len(s.recent))]
	if d := place.Load(); d != nil && d.id == i {
		place.CompareAndSwap(d, nil)
	}
}
