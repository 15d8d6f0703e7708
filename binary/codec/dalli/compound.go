package dalli

import (
	"math/big"
	"strconv"
	"unicode/utf8"
)

// symbolOf reads a symbol (':') or a reference to an earlier one (';').
func (p *parser) symbolOf(kind byte) (string, error) {
	switch kind {
	case ':':
		b, err := p.bytes()
		if err == nil {
			p.symbols = append(doubled(p.symbols), string(b))
		}
		return string(b), err
	case ';':
		n, err := p.long()
		if err != nil || n < 0 || n >= len(p.symbols) {
			return "", errMarshal
		}
		return p.symbols[n], nil
	}
	return "", errMarshal
}

// symbol reads a symbol where nothing else may stand.
func (p *parser) symbol() (string, error) {
	kind, err := p.byte()
	if err != nil {
		return "", err
	}
	return p.symbolOf(kind)
}

// withVariables reads a string or symbol with instance variables. Their encoding
// is the only one that data has.
func (p *parser) withVariables(depth int) (any, error) {
	kind, err := p.byte()
	if err != nil {
		return nil, err
	}
	switch kind {
	case '"':
		b, err := p.bytes()
		if err != nil {
			return nil, err
		}
		// Variables refer to the string by its place, so it comes before them.
		at := len(p.objects)
		p.objects = append(doubled(p.objects), nil)
		text, err := p.encoding(depth)
		if err != nil {
			return nil, err
		}
		if text && utf8.Valid(b) {
			p.objects[at] = string(b)
		} else {
			p.objects[at] = append([]byte{}, b...)
		}
		return p.objects[at], nil
	case ':':
		s, err := p.symbolOf(kind)
		if err == nil {
			_, err = p.encoding(depth)
		}
		return s, err
	}
	return nil, errObject // an object with an encoding or variables of its own
}

// encoding reads the instance variables of a string, and says whether its encoding
// is UTF-8 or ASCII.
func (p *parser) encoding(depth int) (text bool, err error) {
	n, err := p.long()
	if err != nil || n < 0 {
		return false, errMarshal
	}
	if err := p.spend(max(0, n-1)); err != nil { // a string has one at most
		return false, err
	}
	for range n {
		name, err := p.symbol()
		if err != nil {
			return false, err
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return false, err
		}
		_, isBool := v.(bool)
		switch {
		case name == "E" && isBool: // true: UTF-8, false: US-ASCII
			text = true
		case name == "encoding":
		default:
			return false, errObject
		}
	}
	return text, nil
}

func (p *parser) array(depth int) (any, error) {
	n, err := p.count(1)
	if err != nil {
		return nil, err
	}
	p.objects = append(doubled(p.objects), notShared{})
	list := make([]any, 0, n)
	for range n {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// count reads the number of elements, of which each is some values.
func (p *parser) count(each int) (int, error) {
	n, err := p.long()
	if err != nil || n < 0 || n > len(p.in)/each {
		return 0, errMarshal
	}
	// Counted as claimed, because nested arrays can all claim the same input.
	return n, p.spend(containerCost + n*each)
}

// hash reads a hash, and the default value of one that has one, which it forgets.
func (p *parser) hash(depth int, withDefault bool) (any, error) {
	n, err := p.count(2)
	if err != nil {
		return nil, err
	}
	p.objects = append(doubled(p.objects), notShared{})
	m := make(map[string]any, min(n, 1024)) // grows with what is there
	for range n {
		k, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		key, ok := hashKey(k)
		if _, twice := m[key]; !ok || twice {
			return nil, errObject // such as {"a" => 1, :a => 2}
		}
		if m[key], err = p.value(depth + 1); err != nil {
			return nil, err
		}
	}
	if withDefault {
		if err := p.spend(1); err != nil {
			return nil, err
		}
		if _, err := p.value(depth + 1); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// hashKey returns the key that JSON would have for a string, symbol or integer.
func hashKey(k any) (string, bool) {
	switch k := k.(type) {
	case string:
		return k, true
	case []byte:
		return string(k), true
	case int64:
		return strconv.FormatInt(k, 10), true
	}
	return "", false
}

// link reads a reference to an earlier string or number. Every one is a value of
// its own, so that what a few references to a long string can cost is limited.
func (p *parser) link() (any, error) {
	n, err := p.long()
	if err != nil || n < 0 || n >= len(p.objects) {
		return nil, errMarshal
	}
	switch v := p.objects[n].(type) {
	case notShared, nil:
		return nil, errObject
	case []byte:
		if err := p.again(len(v)); err != nil {
			return nil, err
		}
		return append([]byte{}, v...), nil
	case string:
		return v, p.again(len(v))
	case *big.Int:
		return new(big.Int).Set(v), p.number(v.BitLen())
	default:
		return v, nil
	}
}
