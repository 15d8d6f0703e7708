package phpmemcached

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/convert"
)

var (
	errMsgpack = fmt.Errorf("%w: not in the format of MessagePack", codec.ErrCorrupt)

	// errMsgpackObject is for what is well-formed but not data.
	errMsgpackObject = fmt.Errorf("%w (msgpack)", codec.ErrObject)
)

// parseMsgpack returns the value that data holds, as PHP's extension msgpack writes it
// (https://github.com/msgpack/msgpack/blob/master/spec.md). It may hold maxElements;
// 0: codec.MaxElements.
func parseMsgpack(data []byte, maxElements int) (any, error) {
	p := &msgpack{in: data, budget: newBudget(maxElements)}
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if len(p.in) != 0 {
		return nil, errMsgpack
	}
	return v, nil
}

// A msgpack reads one value.
type msgpack struct {
	in []byte
	budget
}

func (p *msgpack) value(depth int) (any, error) {
	kind, err := p.byte()
	if err != nil {
		return nil, err
	}
	switch {
	case kind < 0x80 || kind >= 0xe0:
		return int64(int8(kind)), nil
	case kind < 0x90:
		return p.container(int(kind&0x0f), depth, true)
	case kind < 0xa0:
		return p.container(int(kind&0x0f), depth, false)
	case kind < 0xc0:
		return p.string(int(kind & 0x1f))
	}
	switch kind {
	case 0xc0:
		return nil, nil
	case 0xc2, 0xc3:
		return kind == 0xc3, nil
	case 0xc4, 0xc5, 0xc6, 0xd9, 0xda, 0xdb: // bytes and text: PHP knows no difference
		return p.longString(kind)
	case 0xca:
		bits, err := p.number(4)
		return float64(math.Float32frombits(uint32(bits))), err
	case 0xcb:
		bits, err := p.number(8)
		return math.Float64frombits(bits), err
	case 0xcc, 0xcd, 0xce, 0xcf, 0xd0, 0xd1, 0xd2, 0xd3:
		return p.integer(kind)
	case 0xdc, 0xdd, 0xde, 0xdf:
		n, err := p.number(2 << (kind & 1))
		if err != nil || n > uint64(len(p.in)) {
			return nil, errMsgpack
		}
		return p.container(int(n), depth, kind >= 0xde)
	case 0xc1:
		return nil, errMsgpack
	}
	return nil, errMsgpackObject // extensions
}

func (p *msgpack) byte() (byte, error) {
	n, err := p.number(1)
	return byte(n), err
}

// number reads an unsigned number of so many bytes.
func (p *msgpack) number(size int) (uint64, error) {
	if len(p.in) < size {
		return 0, errMsgpack
	}
	var b [8]byte
	copy(b[8-size:], p.in)
	p.in = p.in[size:]
	return binary.BigEndian.Uint64(b[:]), nil
}

// integer reads one that has its size in its type, without a sign or with one.
func (p *msgpack) integer(kind byte) (int64, error) {
	size := 1 << (kind & 3)
	n, err := p.number(size)
	if err != nil || kind < 0xd0 && n > math.MaxInt64 {
		return 0, errMsgpack
	}
	if kind < 0xd0 {
		return int64(n), nil
	}
	unused := 64 - 8*size
	return int64(n<<unused) >> unused, nil
}

func (p *msgpack) longString(kind byte) (string, error) {
	size := 1 << (kind - 0xc4)
	if kind >= 0xd9 {
		size = 1 << (kind - 0xd9)
	}
	n, err := p.number(size)
	if err != nil || n > uint64(len(p.in)) {
		return "", errMsgpack
	}
	return p.string(int(n))
}

func (p *msgpack) string(n int) (string, error) {
	if n > len(p.in) {
		return "", errMsgpack
	}
	s := string(p.in[:n])
	p.in = p.in[n:]
	return s, nil
}

// container reads an array or a map, which is a list if its keys count from 0.
func (p *msgpack) container(n, depth int, isMap bool) (any, error) {
	if depth >= codec.MaxDepth {
		return nil, &codec.LimitError{Limit: "depth", Max: codec.MaxDepth}
	}
	if n > len(p.in) {
		return nil, errMsgpack
	}
	if err := p.spend(n); err != nil {
		return nil, err
	}
	a := convert.Array{Keys: make([]string, n), Values: make([]any, n), IsList: true}
	for i := range a.Values {
		count := strconv.Itoa(i)
		a.Keys[i] = count
		var err error
		if isMap {
			if a.Keys[i], err = p.key(); err != nil {
				return nil, err
			}
		}
		if a.Values[i], err = p.value(depth + 1); err != nil {
			return nil, err
		}
		a.IsList = a.IsList && a.Keys[i] == count
	}
	return a, nil
}

// key reads a key. null begins an object or a reference of PHP, after which its class
// or its index follows.
func (p *msgpack) key() (string, error) {
	v, err := p.value(codec.MaxDepth)
	if err != nil {
		return "", err
	}
	switch k := v.(type) {
	case string:
		return k, nil
	case int64:
		return strconv.FormatInt(k, 10), nil
	case nil:
		return "", errMsgpackObject
	}
	return "", errMsgpack
}
