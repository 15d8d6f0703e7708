package stored

import (
	"encoding/binary"
	"strings"
	"time"
)

// Index stands at the key of a page that has variants: it lists the request
// fields that select one.
type Index struct {
	ID     uint64
	Base   uint64 // part of the variants' keys
	Fields []string
	// Soft are the soft purges of the page, the latest last, each with the ID that the
	// index had before. Variants whose making began under it have expired then.
	Soft []SoftPurge
}

// Check has a variant expire when the first soft purge since then came. A nil index has
// no variants.
func (ix *Index) Check(e *Entry) {
	if ix == nil || e.Index == ix.ID {
		return
	}
	for _, soft := range ix.Soft {
		if soft.ID == e.Index {
			e.Expire(soft.When)
			return
		}
	}
	e.Expire(e.Received) // too many are forgotten
}

// Expire makes a soft purge of ix.
func (ix *Index) Expire(at time.Time) {
	ix.Soft = addSoft(ix.Soft, SoftPurge{ix.ID, at})
	ix.ID = NewID()
}

// MaxIndexFields bounds the fields that select variants.
const MaxIndexFields = 16

// Encode returns the value of an index under key.
func (ix *Index) Encode(key string) []byte {
	b := begin(nil, KindIndex, ix.ID)
	b = AppendFramed(b, key)
	b = binary.BigEndian.AppendUint64(b, ix.Base)
	b = appendSoft(binary.AppendUvarint(b, uint64(len(ix.Soft))), ix.Soft)
	b = binary.AppendUvarint(b, uint64(len(ix.Fields)))
	for _, f := range ix.Fields {
		b = AppendFramed(b, f)
	}
	return finish(b)
}

// Index returns the index that v is, if it was stored under key.
func (v Value) Index(key string) (*Index, error) {
	d := decoder{v.rest}
	if v.Kind != KindIndex || string(d.framed()) != key {
		return nil, ErrGarbage
	}
	base, purges := d.uint64(), d.count(softSize)
	soft := d.soft(purges)
	if len(soft) != purges {
		return nil, ErrGarbage
	}
	n := d.count(1)
	if n > MaxIndexFields {
		return nil, ErrGarbage
	}
	ix := &Index{ID: v.ID, Base: base, Soft: soft, Fields: make([]string, 0, n)}
	for range n {
		name := string(d.framed())
		if !canonical(name) {
			return nil, ErrGarbage
		}
		ix.Fields = append(ix.Fields, name)
	}
	if d.failed() || len(d.rest) > 0 {
		return nil, ErrGarbage
	}
	return ix, nil
}

// Has reports whether the request field name selects variants. A nil index has
// none.
func (ix *Index) Has(name string) bool {
	if ix == nil {
		return false
	}
	for _, f := range ix.Fields {
		if strings.EqualFold(f, name) {
			return true
		}
	}
	return false
}
