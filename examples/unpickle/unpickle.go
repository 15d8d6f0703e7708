package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"regexp"

	pickle "github.com/kisielk/og-rek"
)

// Limits of what Unpickle builds. A few bytes can stand for a structure that is
// too large or too deep for the program, without any call in them.
const (
	maxLength = 1 << 20 // bytes of the pickle
	maxValues = 100_000
	maxDepth  = 100
	maxDigits = 4300 // of a number
	maxSlow   = 1000 // numbers with an exponent of three digits
)

// slow is a number of which many take long to read, such as 5e-324.
var slow = regexp.MustCompile(`[0-9.][eE][-+]?[0-9]{3}`)

// What Unpickle refuses.
var (
	errNotData  = errors.New("unpickle: the pickle holds more than data")
	errTooLarge = errors.New("unpickle: the pickle stands for too much")
)

// Unpickle returns the data in a pickle: None is nil, a list or tuple a []any, a
// dict with keys of text a map[string]any, bytes and bytearray a []byte, an int
// an int64 or *big.Int; bool, float and str are what they are in Go. It fits the
// Unpickle fields of package bmemcached.
//
// The reader under it executes nothing: it represents a class, a call or a
// reference that a pickle asks for as a value. Unpickle refuses pickles with such
// values: objects, functions, dates, sets.
func Unpickle(data []byte) (any, error) {
	if len(data) > maxLength {
		return nil, fmt.Errorf("%w: %d bytes", errTooLarge, len(data))
	}
	if isSlow(data) {
		return nil, fmt.Errorf("%w: numbers that take long to read", errTooLarge)
	}
	value, err := pickle.NewDecoderWithConfig(bytes.NewReader(data), &pickle.DecoderConfig{
		PersistentLoad: func(pickle.Ref) (any, error) { return nil, errNotData },
	}).Decode()
	if err != nil {
		return nil, fmt.Errorf("unpickle: %w", err)
	}
	return new(builder).data(value, 0)
}

// isSlow says whether the decimal numbers of protocol 0 may be in data that take long to
// read. Text of nothing but digits counts as one.
func isSlow(data []byte) bool {
	digits := 0
	for _, c := range data {
		if c < '0' || c > '9' {
			digits = 0
		} else if digits++; digits > maxDigits {
			return true
		}
	}
	return len(slow.FindAllIndex(data, maxSlow+1)) > maxSlow
}

// builder makes data of what the reader read.
type builder struct{ values int }

func (b *builder) data(value any, depth int) (any, error) {
	if b.values++; b.values > maxValues || depth > maxDepth {
		return nil, errTooLarge
	}
	switch v := value.(type) {
	case nil, pickle.None:
		return nil, nil
	case bool, int64, float64, string, []byte:
		return v, nil
	case pickle.Bytes:
		return []byte(v), nil
	case *big.Int:
		if v == nil {
			return nil, errNotData
		}
		return v, nil
	case pickle.Tuple:
		return b.list(v, depth)
	case []any:
		return b.list(v, depth)
	case map[any]any:
		return b.dict(v, depth)
	default: // a Class, a Call or a Ref
		return nil, fmt.Errorf("%w: a %T", errNotData, v)
	}
}

func (b *builder) list(items []any, depth int) (any, error) {
	list := make([]any, len(items))
	for i, item := range items {
		value, err := b.data(item, depth+1)
		if err != nil {
			return nil, err
		}
		list[i] = value
	}
	return list, nil
}

func (b *builder) dict(items map[any]any, depth int) (any, error) {
	dict := make(map[string]any, len(items))
	for k, item := range items {
		key, ok := k.(string)
		if !ok {
			return nil, fmt.Errorf("%w: a dict with a key that is no text, but %T", errNotData, k)
		}
		value, err := b.data(item, depth+1)
		if err != nil {
			return nil, err
		}
		dict[key] = value
	}
	return dict, nil
}
