package bmemcached

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/convert"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/pack"
)

// A layout is the flags of each kind of value. A client without a flag for
// booleans has 0 there.
type layout struct{ text, bytes, integer, boolean uint32 }

// encode returns v and the flags of its kind, without compression.
func encode(v any, kinds layout, pickle func(any) ([]byte, error)) ([]byte, uint32, error) {
	basic, err := convert.Basic(v)
	if err != nil {
		basic = v
	}
	switch b := basic.(type) {
	case string:
		if !utf8.ValidString(b) {
			return nil, 0, fail(fmt.Errorf("%w: a string that is not UTF-8 cannot be text; store it as []byte", codec.ErrType))
		}
		return []byte(b), kinds.text, nil
	case []byte:
		return b, kinds.bytes, nil
	case bool:
		if kinds.boolean != 0 {
			return []byte{"01"[btoi(b)]}, kinds.boolean, nil
		}
	default:
		if digits, ok := convert.AppendInteger(nil, basic); ok {
			return digits, kinds.integer, nil
		}
	}
	if pickle == nil {
		return nil, 0, fail(fmt.Errorf("%w: %T is neither text, bytes nor an integer; store JSON text, or set Pickle", codec.ErrType, v))
	}
	data, err := pickle(v)
	if err != nil {
		return nil, 0, fail(err)
	}
	return data, FlagPickle, nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// compress compresses data above a size, unless that is negative.
func compress(data []byte, flags uint32, above, maxSize int) ([]byte, uint32) {
	if above < 0 || len(data) <= above || len(data) > pack.Limit(maxSize) {
		return data, flags
	}
	if smaller := pack.Zlib(data); smaller != nil {
		return smaller, flags | FlagZlib
	}
	return data, flags
}

// allFlags are the flags of both layouts.
const allFlags = FlagPickle | FlagInteger | FlagLong | FlagZlib | FlagBytes

// decompress returns data decompressed, and whether that is new memory.
func decompress(data []byte, flags uint32, maxSize int) (plain []byte, owned bool, err error) {
	if flags&^allFlags != 0 {
		return nil, false, fail(fmt.Errorf("%w: %#x", codec.ErrFlags, flags))
	}
	if flags&FlagZlib == 0 {
		return data, false, nil
	}
	plain, err = pack.Unzlib(data, 0, pack.Limit(maxSize))
	if err != nil {
		return nil, false, fail(err)
	}
	return plain, true, nil
}

// kind is a kind of value.
type kind int

const (
	isText kind = iota
	isBytes
	isInteger
	isPickle
)

// decode sets v to the value of a kind in data, which v may keep if it is owned.
func decode(data []byte, owned bool, k kind, v any, unpickle func([]byte) (any, error)) (err error) {
	switch k {
	case isText:
		err = convert.Text(v, data)
	case isBytes:
		err = convert.Bytes(v, data, owned)
	case isInteger:
		err = convert.Digits(v, data)
		if errors.Is(err, convert.ErrNotNumber) {
			err = fmt.Errorf("%w: %w", codec.ErrCorrupt, err)
		}
	case isPickle:
		return decodePickle(data, owned, v, unpickle)
	}
	if err != nil {
		return fail(err)
	}
	return nil
}

func decodePickle(data []byte, owned bool, v any, unpickle func([]byte) (any, error)) error {
	if unpickle == nil {
		if !owned {
			data = bytes.Clone(data)
		}
		return &PickleError{Data: data}
	}
	val, err := unpickle(data)
	if err != nil {
		return fail(err)
	}
	if err := convert.Value(v, val); err != nil {
		return fail(err)
	}
	return nil
}
