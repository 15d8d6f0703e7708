package session

import (
	"slices"
	"testing"
	"time"
)

func FuzzForward(f *testing.F) {
	f.Add([]byte{0, 0})
	f.Add(append([]byte{2, 1}, make([]byte, 40)...))
	f.Add([]byte{0x80})
	f.Fuzz(func(t *testing.T, plain []byte) {
		fw, err := decodeForward(plain)
		if err == nil && len(fw.to)*len(id{})+len(fw.record) >= len(plain) {
			t.Errorf("decodeForward(%q) = %d IDs and %d bytes, more than there are", plain, len(fw.to), len(fw.record))
		}
	})
}

func TestForward_SealedAndOpened(t *testing.T) {
	s, err := New(nowhere{}, nil, testKey)
	if err != nil {
		t.Fatal(err)
	}
	from, to := newID(), []id{newID(), newID()}
	item := s.forwardItem(from, forward{to: to, record: "what was there"})
	got := s.forwardIn(from, item)
	if got == nil || !slices.Equal(got.to, to) || got.record != "what was there" || time.Until(got.until) <= 0 {
		t.Errorf("forwardIn = %+v, want what was sealed", got)
	}
	if got := s.forwardIn(from, s.forwardItem(newID(), forward{to: to})); got != nil {
		t.Errorf("another session's forward was opened: %+v", got)
	}
}

// nowhere is a client that is not asked.
type nowhere struct{ Client }
