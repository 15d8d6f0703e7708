package phpmemcached

import "github.com/bmemcached/bmemcached-go/binary/codec"

// containerCost is what an array counts beside its keys and values.
const containerCost = 3

// A budget counts what arrays cost in memory before it is spent. What is written is
// counted the same way, so that it can be read back.
type budget struct {
	maxElements int
	elements    int // that arrays have claimed
	copied      int // bytes of strings that stand in one more place
}

// newBudget returns one of maxElements; 0: codec.MaxElements.
func newBudget(maxElements int) budget {
	if maxElements <= 0 {
		maxElements = codec.MaxElements
	}
	return budget{maxElements: maxElements}
}

// spend counts an array of n values with their keys.
func (b *budget) spend(n int) error { return b.claim(containerCost + 2*n) }

// claim counts n elements.
func (b *budget) claim(n int) error {
	if b.elements += n; b.elements > b.maxElements {
		return &codec.LimitError{Limit: "elements", Max: b.maxElements}
	}
	return nil
}

// again counts the n bytes of strings that stand in one more place.
func (b *budget) again(n int) error {
	if b.copied += n; b.copied > codec.MaxSize {
		return &codec.LimitError{Limit: "size", Max: codec.MaxSize}
	}
	return nil
}
