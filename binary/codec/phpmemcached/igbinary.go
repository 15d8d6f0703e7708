package phpmemcached

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/convert"
)

var (
	errIgbinary = fmt.Errorf("%w: not in the format of igbinary", codec.ErrCorrupt)

	// errIgbinaryObject is for what is well-formed but not data.
	errIgbinaryObject = fmt.Errorf("%w (igbinary)", codec.ErrObject)
)

// The types of igbinary (igbinary.c, enum igbinary_type). Of each that has a length
// or an index of 8 bits, the next two have one of 16 and of 32.
const (
	igNull        = 0x00
	igRef8        = 0x01 // an array that has been
	igFalse       = 0x04
	igTrue        = 0x05
	igLong8       = 0x06 // and the same negative at 0x07; 16 bits at 0x08, 32 at 0x0a
	igDouble      = 0x0c
	igEmptyString = 0x0d
	igStringID8   = 0x0e // a string that has been
	igString8     = 0x11
	igArray8      = 0x14
	igObject8     = 0x17 // to 0x1f: objects, by their class's name or its index
	igLong64      = 0x20 // and the same negative at 0x21
	igObjectRef8  = 0x22 // to 0x24
	igReference   = 0x25 // what follows is a reference of PHP
	igEnum        = 0x27
)

// parseIgbinary returns the value that data holds, header included. It may hold
// maxElements; 0: codec.MaxElements.
func parseIgbinary(data []byte, maxElements int) (any, error) {
	if len(data) < 4 {
		return nil, errIgbinary
	}
	if version := binary.BigEndian.Uint32(data); version != 1 && version != 2 {
		return nil, errIgbinary
	}
	p := &igbinary{in: data[4:], budget: newBudget(maxElements)}
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if len(p.in) != 0 {
		return nil, errIgbinary
	}
	return v, nil
}

// An igbinary reads one value. The format writes a string once and refers to it
// afterwards, and the same with arrays of which PHP shares the memory: both are
// counted wherever they stand.
type igbinary struct {
	in      []byte
	strings []string
	arrays  []sharedArray
	text    int // bytes of strings, wherever they stand
	height  int // of the value that was read last: how deep arrays nest in it
	budget
}

// A sharedArray is an array that may stand in more places.
type sharedArray struct {
	array    convert.Array
	elements int // that it has claimed, with all that it holds
	text     int // bytes of strings in it
	height   int // 0 as long as it is being read
}

func (p *igbinary) value(depth int) (any, error) {
	p.height = 0
	kind, err := p.number(1)
	if err != nil {
		return nil, err
	}
	switch {
	case kind == igNull:
		return nil, nil
	case kind == igFalse || kind == igTrue:
		return kind == igTrue, nil
	case isIgLong(kind):
		return p.long(kind)
	case kind == igDouble:
		bits, err := p.number(8)
		return math.Float64frombits(bits), err
	case kind >= igEmptyString && kind < igArray8:
		return p.string(kind)
	case kind >= igArray8 && kind < igArray8+3:
		return p.array(1<<(kind-igArray8), depth)
	case kind >= igRef8 && kind < igRef8+3:
		return p.shared(1<<(kind-igRef8), depth)
	case kind >= igObject8 && kind < igLong64, kind >= igObjectRef8 && kind <= igReference, kind == igEnum:
		return nil, errIgbinaryObject
	}
	return nil, errIgbinary
}

// number reads an unsigned number of so many bytes.
func (p *igbinary) number(size int) (uint64, error) {
	if len(p.in) < size {
		return 0, errIgbinary
	}
	var n uint64
	for _, b := range p.in[:size] {
		n = n<<8 | uint64(b)
	}
	p.in = p.in[size:]
	return n, nil
}

func isIgLong(kind uint64) bool {
	return kind >= igLong8 && kind < igDouble || kind == igLong64 || kind == igLong64+1
}

// long reads an integer, which has its sign in its type.
func (p *igbinary) long(kind uint64) (int64, error) {
	size := 8
	if kind < igDouble {
		size = 1 << ((kind - igLong8) / 2)
	}
	n, err := p.number(size)
	switch {
	case err != nil:
		return 0, err
	case kind%2 == 1 && n <= 1<<63:
		return -int64(n), nil
	case kind%2 == 1 || n > math.MaxInt64:
		return 0, errIgbinary
	}
	return int64(n), nil
}

// string reads a string, or the index of one that has been.
func (p *igbinary) string(kind uint64) (string, error) {
	if kind == igEmptyString {
		return "", nil
	}
	size := 1 << ((kind - igStringID8) % 3)
	n, err := p.number(size)
	if err != nil {
		return "", err
	}
	if kind < igString8 {
		if n >= uint64(len(p.strings)) {
			return "", errIgbinary
		}
		s := p.strings[n]
		p.text += len(s)
		return s, p.again(len(s))
	}
	if n > uint64(len(p.in)) {
		return "", errIgbinary
	}
	s := string(p.in[:n])
	p.in = p.in[n:]
	p.strings = append(doubled(p.strings), s)
	p.text += len(s)
	return s, nil
}

// array reads an array, which is a list if its keys count from 0.
func (p *igbinary) array(size, depth int) (any, error) {
	if depth >= codec.MaxDepth {
		return nil, &codec.LimitError{Limit: "depth", Max: codec.MaxDepth}
	}
	n, err := p.number(size)
	// A key and a value take two bytes at least.
	if err != nil || n > uint64(len(p.in))/2 {
		return nil, errIgbinary
	}
	elements, text := p.elements, p.text
	if err := p.spend(int(n)); err != nil {
		return nil, err
	}
	index := len(p.arrays)
	p.arrays = append(doubled(p.arrays), sharedArray{})
	a := convert.Array{Keys: make([]string, n), Values: make([]any, n), IsList: true}
	height := 0
	for i := range a.Values {
		if a.Keys[i], err = p.key(); err != nil {
			return nil, err
		}
		if a.Values[i], err = p.value(depth + 1); err != nil {
			return nil, err
		}
		height = max(height, p.height)
		a.IsList = a.IsList && a.Keys[i] == strconv.Itoa(i)
	}
	p.height = height + 1
	p.arrays[index] = sharedArray{a, p.elements - elements, p.text - text, p.height}
	return a, nil
}

// shared reads the index of an array that has been. One within itself is only there
// by a reference of PHP, which is not data.
func (p *igbinary) shared(size, depth int) (any, error) {
	n, err := p.number(size)
	if err != nil || n >= uint64(len(p.arrays)) || p.arrays[n].height == 0 {
		return nil, errIgbinary
	}
	a := p.arrays[n]
	if depth+a.height > codec.MaxDepth {
		return nil, &codec.LimitError{Limit: "depth", Max: codec.MaxDepth}
	}
	p.height = a.height
	p.text += a.text
	if err := p.again(a.text); err != nil {
		return nil, err
	}
	return a.array, p.claim(a.elements)
}

// key reads a key.
func (p *igbinary) key() (string, error) {
	kind, err := p.number(1)
	switch {
	case err != nil:
		return "", err
	case isIgLong(kind):
		i, err := p.long(kind)
		return strconv.FormatInt(i, 10), err
	case kind >= igEmptyString && kind < igArray8:
		return p.string(kind)
	}
	return "", errIgbinary
}

// doubled returns a slice with room for one more, of twice the capacity if need be:
// append grows large slices by a quarter, and so copies them often.
func doubled[T any](s []T) []T {
	if len(s) == cap(s) {
		return slices.Grow(s, max(len(s), 8))
	}
	return s
}
