package middleware

import (
	"sync/atomic"

	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// hint is what a page needed besides its own value when it was last served: the
// list of what selects its variants, and its tags. With it, one round trip gets
// everything. A hint that is out of date costs a round trip and nothing else.
type hint struct {
	page  string // key of the page
	index *stored.Index
	tags  []string // their keys
	large bool     // nothing, but its value is larger than maxKept
}

// hints is a table with one place for each of many pages; a newer hint pushes
// out an older one.
type hints struct {
	slots [4096]atomic.Pointer[hint]
}

func (h *hints) slot(page string) *atomic.Pointer[hint] {
	// The end of a key is a digest.
	n := uint(0)
	for i := max(0, len(page)-4); i < len(page); i++ {
		n = n*61 + uint(page[i])
	}
	return &h.slots[n%uint(len(h.slots))]
}

func (h *hints) get(page string) *hint {
	if hint := h.slot(page).Load(); hint != nil && hint.page == page {
		return hint
	}
	return nil
}

func (h *hints) put(hint *hint) { h.slot(hint.page).Store(hint) }

// forget removes what is known of a page that turned out different.
func (h *hints) forget(hint *hint) { h.slot(hint.page).CompareAndSwap(hint, nil) }
