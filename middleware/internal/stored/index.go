package stored

import (
	"encoding/binary"
	"strings"
)

// Index stands at the key of a page that has variants: it lists the request
// fields that select one.
type Index struct {
	ID     uint64
	Fields []string
}

// Encode returns the value of an index at the page whose whole key is full.
func (ix *Index) Encode(full []byte) []byte {
	b := begin(nil, KindIndex, ix.ID)
	b = AppendFramed(b, full)
	b = binary.AppendUvarint(b, uint64(len(ix.Fields)))
	for _, f := range ix.Fields {
		b = AppendFramed(b, f)
	}
	return finish(b)
}

// Index returns the index that v is, if it belongs to the page whose whole key
// is full.
func (v Value) Index(full []byte) (*Index, error) {
	d := decoder{v.rest}
	if v.Kind != KindIndex || string(d.framed()) != string(full) {
		return nil, ErrGarbage
	}
	ix := &Index{ID: v.ID, Fields: make([]string, 0, d.count(1))}
	for range cap(ix.Fields) {
		ix.Fields = append(ix.Fields, string(d.framed()))
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
