package dalli

import (
	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/convert"
)

// containerCost is what an array or hash counts beside its elements.
const containerCost = 3

// A budget counts what a value costs in memory and time, before either is spent. The
// counts bound the work of parsing, and of converting what was parsed. What is written
// is counted the same way, so that it can be read back.
type budget struct {
	maxElements int
	elements    int // that arrays and hashes have claimed
	copied      int // bytes of strings that are referred to again
}

// newBudget returns one of maxElements; 0: codec.MaxElements.
func newBudget(maxElements int) budget {
	if maxElements <= 0 {
		maxElements = codec.MaxElements
	}
	return budget{maxElements: maxElements}
}

// spend counts n elements.
func (b *budget) spend(n int) error {
	if b.elements += n; b.elements > b.maxElements {
		return &codec.LimitError{Limit: "elements", Max: b.maxElements}
	}
	return nil
}

// number counts an integer of so many bits, or one more reference to it: what is
// above 64 bits is written in decimal wherever it stands.
func (b *budget) number(bits int) error {
	if bits > convert.MaxBits+15 { // in words of 16 bits
		return &codec.LimitError{Limit: "digits", Max: codec.MaxDigits}
	}
	return b.spend(max(0, bits/64-1))
}

// again counts the n bytes of a string that stands in one more place.
func (b *budget) again(n int) error {
	if b.copied += n; b.copied > codec.MaxSize {
		return &codec.LimitError{Limit: "size", Max: codec.MaxSize}
	}
	return nil
}
