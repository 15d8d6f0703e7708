package phpmemcached

import "github.com/bmemcached/bmemcached-go/binary/codec"

// containerCost is what an array counts beside its keys and values.
const containerCost = 3

// A budget counts what arrays cost in memory before it is spent. What is written is
// counted the same way, so that it can be read back.
type budget struct {
	maxElements int
	elements    int // that arrays have claimed
}

// newBudget returns one of maxElements; 0: codec.MaxElements.
func newBudget(maxElements int) budget {
	if maxElements <= 0 {
		maxElements = codec.MaxElements
	}
	return budget{maxElements: maxElements}
}

// spend counts an array of n values with their keys.
func (b *budget) spend(n int) error {
	if b.elements += containerCost + 2*n; b.elements > b.maxElements {
		return &codec.LimitError{Limit: "elements", Max: b.maxElements}
	}
	return nil
}
