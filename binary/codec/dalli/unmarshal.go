package dalli

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/convert"
)

var (
	errMarshal = fmt.Errorf("%w: not in Ruby's marshal format", codec.ErrCorrupt)

	// errObject is for what is well-formed but not data.
	errObject = fmt.Errorf("%w (ruby marshal)", codec.ErrObject)
)

// parseMarshal returns the value that data holds, header included. It may hold
// maxElements; 0: codec.MaxElements.
func parseMarshal(data []byte, maxElements int) (any, error) {
	p := newParser(data, maxElements)
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if len(p.in) != 0 {
		return nil, errMarshal
	}
	return v, nil
}

// A parser reads one value. The format refers back to symbols and to objects by
// the order in which they appeared (marshal.c, r_symlink and r_object).
type parser struct {
	in      []byte
	symbols []string
	objects []any // text, bytes and numbers; notShared for arrays and hashes
	budget
}

func newParser(data []byte, maxElements int) *parser {
	return &parser{in: data[len(marshalHeader):], budget: newBudget(maxElements)}
}

// notShared stands for an array or hash in the table of objects. A reference to one
// would make the value a graph, and a cycle endless, so it counts as an object.
type notShared struct{}

func (p *parser) value(depth int) (any, error) {
	if depth > codec.MaxDepth {
		return nil, &codec.LimitError{Limit: "depth", Max: codec.MaxDepth}
	}
	kind, err := p.byte()
	if err != nil {
		return nil, err
	}
	switch kind {
	case '0':
		return nil, nil
	case 'T':
		return true, nil
	case 'F':
		return false, nil
	case 'i':
		n, err := p.long()
		return int64(n), err
	case 'l':
		return p.remember(p.bignum())
	case 'f':
		return p.remember(p.float())
	case '"':
		return p.remember(p.string())
	case ':':
		return p.symbolOf(kind)
	case ';':
		s, err := p.symbolOf(kind)
		if err == nil {
			err = p.again(len(s))
		}
		return s, err
	case 'I':
		return p.withVariables(depth)
	case '[':
		return p.array(depth)
	case '{', '}':
		return p.hash(depth, kind == '}')
	case '@':
		return p.link()
	case 'o', 'u', 'U', 'S', 'c', 'm', 'M', 'e', 'C', 'd', '/':
		return nil, errObject
	}
	return nil, errMarshal
}

// remember adds a value to the table of objects.
func (p *parser) remember(v any, err error) (any, error) {
	if err == nil {
		p.objects = append(doubled(p.objects), v)
	}
	return v, err
}

// doubled returns a slice with room for one more, of twice the capacity if need be:
// append grows large slices by a quarter, and so copies them often.
func doubled[T any](s []T) []T {
	if len(s) == cap(s) {
		return slices.Grow(s, max(len(s), 8))
	}
	return s
}

func (p *parser) byte() (byte, error) {
	if len(p.in) == 0 {
		return 0, errMarshal
	}
	b := p.in[0]
	p.in = p.in[1:]
	return b, nil
}

func (p *parser) take(n int) ([]byte, error) {
	if n < 0 || n > len(p.in) {
		return nil, errMarshal
	}
	b := p.in[:n]
	p.in = p.in[n:]
	return b, nil
}

// long reads what appendLong writes.
func (p *parser) long() (int, error) {
	first, err := p.byte()
	if err != nil {
		return 0, err
	}
	c := int(int8(first))
	switch {
	case c == 0:
		return 0, nil
	case c > 4:
		return c - 5, nil
	case c < -4:
		return c + 5, nil
	}
	b, err := p.take(max(c, -c))
	if err != nil {
		return 0, err
	}
	n := int64(0)
	if c < 0 {
		n = -1 << (8 * len(b))
	}
	for i, x := range b {
		n |= int64(x) << (8 * i)
	}
	if n != int64(int32(n)) { // a Fixnum has 31 bits, and lengths are positive
		return 0, errMarshal
	}
	return int(n), nil
}

// bytes reads a length and as many bytes.
func (p *parser) bytes() ([]byte, error) {
	n, err := p.long()
	if err != nil {
		return nil, err
	}
	return p.take(n)
}

// string reads a string without an encoding, which is one of bytes.
func (p *parser) string() (any, error) {
	b, err := p.bytes()
	return append([]byte{}, b...), err
}

func (p *parser) float() (any, error) {
	b, err := p.bytes()
	if err != nil {
		return nil, err
	}
	switch string(b) {
	case "inf":
		return math.Inf(1), nil
	case "-inf":
		return math.Inf(-1), nil
	case "nan":
		return math.NaN(), nil
	}
	if len(b) > codec.MaxDigits {
		return nil, &codec.LimitError{Limit: "digits", Max: codec.MaxDigits}
	}
	if err := p.spend(convert.NumberCost(b) - 1); err != nil { // its place is counted
		return nil, err
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return nil, errMarshal
	}
	return f, nil
}

// bignum reads a sign and a magnitude in 16-bit words, little-endian.
func (p *parser) bignum() (any, error) {
	sign, err := p.byte()
	if err != nil {
		return nil, err
	}
	words, err := p.long()
	if err != nil || sign != '+' && sign != '-' {
		return nil, errMarshal
	}
	b, err := p.take(2 * words)
	if err == nil {
		err = p.number(8 * len(b))
	}
	if err != nil {
		return nil, err
	}
	magnitude := slices.Clone(b)
	slices.Reverse(magnitude)
	n := new(big.Int).SetBytes(magnitude)
	if sign == '-' {
		n.Neg(n)
	}
	switch {
	case n.IsInt64():
		return n.Int64(), nil
	case n.IsUint64():
		return n.Uint64(), nil
	}
	return n, nil
}
