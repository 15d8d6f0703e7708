package session

import (
	"sync"
	"testing"
)

func derivedStore(t *testing.T) *Store {
	t.Helper()
	pairs, err := newPairs([][]byte{testKey, nil, keyOf("another key")})
	if err != nil {
		t.Fatal(err)
	}
	opts, err := (*Options)(nil).withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	return &Store{opts: opts, pairs: pairs}
}

func TestDerived_DerivesOnce(t *testing.T) {
	s, i := derivedStore(t), newID()
	d := s.of(i)
	if made := d.sealer(s.pairs, 1); s.of(i) != d || d.sealer(s.pairs, 1) != made {
		t.Error("what follows from an ID was derived twice")
	}
	if d.location != i.location("session:") || d.public != i.public() {
		t.Error("it is not what follows from the ID")
	}
	for n := range s.pairs {
		sealed := d.sealer(s.pairs, n).seal([]byte("x"))
		if _, err := sealerFor(&s.pairs[n], i).open(sealed); err != nil {
			t.Errorf("pair %d: open: %v", n, err)
		}
	}
	s.forget(newID())
	s.forget(i)
	if s.of(i) == d {
		t.Error("a forgotten ID is still known")
	}
}

func TestDerived_IDsThatShareAPlace(t *testing.T) {
	s := derivedStore(t)
	one, two := newID(), newID()
	copy(two[:8], one[:8])
	for range 2 {
		for _, i := range []id{one, two} {
			if d := s.of(i); d.id != i || d.public != i.public() {
				t.Error("one ID gets what follows from another")
			}
		}
	}
	s.of(one)
	s.forget(two)
	if place := s.of(one); place.id != one {
		t.Error("forgetting one ID changed another")
	}
}

func TestDerived_FromManyGoroutines(t *testing.T) {
	s := derivedStore(t)
	ids := make([]id, 50)
	for n := range ids {
		ids[n] = newID()
		copy(ids[n][:8], ids[n%5][:8]) // few places
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, i := range ids {
				if d := s.of(i); d.id != i || d.sealer(s.pairs, 0) == nil {
					t.Error("one ID gets what follows from another")
				}
				s.forget(i)
			}
		})
	}
	wg.Wait()
}
