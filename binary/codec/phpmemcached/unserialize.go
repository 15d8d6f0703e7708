package phpmemcached

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/convert"
)

var (
	errSerialized = fmt.Errorf("%w: not in the format of PHP's serialize", codec.ErrCorrupt)

	// errObject is for what is well-formed but not data.
	errObject = fmt.Errorf("%w (php serialize)", codec.ErrObject)
)

// parseSerialized returns the value that data holds. It may hold maxElements;
// 0: codec.MaxElements.
func parseSerialized(data []byte, maxElements int) (any, error) {
	p := &parser{in: data, budget: newBudget(maxElements)}
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if len(p.in) != 0 {
		return nil, errSerialized
	}
	return v, nil
}

// A parser reads one value.
type parser struct {
	in []byte
	budget
}

func (p *parser) value(depth int) (any, error) {
	if depth > codec.MaxDepth {
		return nil, &codec.LimitError{Limit: "depth", Max: codec.MaxDepth}
	}
	if len(p.in) < 2 {
		return nil, errSerialized
	}
	kind, mark := p.in[0], p.in[1]
	p.in = p.in[2:]
	if kind == 'N' && mark == ';' {
		return nil, nil
	}
	if mark != ':' {
		return nil, errSerialized
	}
	switch kind {
	case 'b':
		i, err := p.integer(';')
		if err == nil && i != 0 && i != 1 {
			err = errSerialized
		}
		return i == 1, err
	case 'i':
		return p.integer(';')
	case 'd':
		return p.float()
	case 's':
		return p.string()
	case 'a':
		return p.array(depth)
	case 'O', 'C', 'E', 'R', 'r', 'S', 'o':
		return nil, errObject // objects, enums, references, strings with escapes
	}
	return nil, errSerialized
}

// until returns the input up to a byte, and skips it.
func (p *parser) until(end byte) ([]byte, error) {
	i := bytes.IndexByte(p.in[:min(len(p.in), 64)], end) // no number is longer
	if i < 0 {
		return nil, errSerialized
	}
	b := p.in[:i]
	p.in = p.in[i+1:]
	return b, nil
}

func (p *parser) integer(end byte) (int64, error) {
	b, err := p.until(end)
	if err != nil {
		return 0, err
	}
	i, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return 0, errSerialized
	}
	return i, nil
}

func (p *parser) float() (any, error) {
	b, err := p.until(';')
	if err != nil {
		return nil, err
	}
	switch string(b) {
	case "INF":
		return math.Inf(1), nil
	case "-INF":
		return math.Inf(-1), nil
	case "NAN":
		return math.NaN(), nil
	}
	if err := p.claim(convert.NumberCost(b) - 1); err != nil { // its place in an array is counted
		return nil, err
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return nil, errSerialized
	}
	return f, nil
}

// string reads a length and a string in quotes.
func (p *parser) string() (string, error) {
	n, err := p.integer(':')
	if err != nil || n < 0 || n > int64(len(p.in))-3 {
		return "", errSerialized
	}
	s, end := p.in[1:1+n], p.in[1+n:3+n]
	if p.in[0] != '"' || string(end) != `";` {
		return "", errSerialized
	}
	p.in = p.in[3+n:]
	return string(s), nil
}

// array reads an array, which is a list if its keys count from 0.
func (p *parser) array(depth int) (any, error) {
	n, err := p.integer(':')
	// A key and a value take six bytes at least: i:0;N;
	if err != nil || n < 0 || n > int64(len(p.in))/6 || len(p.in) == 0 || p.in[0] != '{' {
		return nil, errSerialized
	}
	// Counted as claimed, because nested arrays can all claim the same input.
	if err := p.spend(int(n)); err != nil {
		return nil, err
	}
	p.in = p.in[1:]
	a := convert.Array{Keys: make([]string, n), Values: make([]any, n), IsList: true}
	for i := range a.Values {
		if a.Keys[i], err = p.key(); err != nil {
			return nil, err
		}
		if a.Values[i], err = p.value(depth + 1); err != nil {
			return nil, err
		}
		a.IsList = a.IsList && a.Keys[i] == strconv.Itoa(i)
	}
	if len(p.in) == 0 || p.in[0] != '}' {
		return nil, errSerialized
	}
	p.in = p.in[1:]
	return a, nil
}

// key reads a key. PHP makes no difference between 1 and "1".
func (p *parser) key() (string, error) {
	if len(p.in) < 2 || p.in[1] != ':' {
		return "", errSerialized
	}
	kind := p.in[0]
	p.in = p.in[2:]
	switch kind {
	case 'i':
		i, err := p.integer(';')
		return strconv.FormatInt(i, 10), err
	case 's':
		return p.string()
	}
	return "", errSerialized
}
