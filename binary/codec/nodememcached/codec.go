package nodememcached

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/convert"
)

// The flags of the npm package memcached (lib/memcached.js). Text has none of them,
// and no value more than one.
const (
	FlagJSON   uint32 = 1 << 1
	FlagBinary uint32 = 1 << 2 // a Buffer
	FlagNumber uint32 = 1 << 3 // FLAG_NUMERIC
)

// Codec reads and writes values of the npm package memcached. It may be used
// concurrently as long as its fields do not change.
type Codec struct {
	// MaxElements limits what lists and maps may hold, counted as codec.MaxElements
	// is; above it Encode and Decode return codec.ErrTooLarge. 0: codec.MaxElements.
	MaxElements int
}

var _ codec.Codec = Codec{}

// Encode returns v as the npm package memcached would store it: a string, which must
// be valid UTF-8, a []byte, a number, or what encoding/json takes.
func (c Codec) Encode(v any) (data []byte, flags uint32, err error) {
	basic, err := convert.Basic(v)
	if err != nil {
		basic = v
	}
	switch b := basic.(type) {
	case string:
		if !utf8.ValidString(b) {
			return nil, 0, fail(fmt.Errorf("%w: a string that is not UTF-8 cannot be text; store it as []byte", codec.ErrType))
		}
		return escape([]byte(b)), 0, nil
	case []byte:
		return escape(characters(b)), FlagBinary, nil
	case float64:
		return appendNumber(nil, b), FlagNumber, nil
	case float32:
		return appendNumber(nil, float64(b)), FlagNumber, nil
	}
	if digits, ok := convert.AppendInteger(nil, basic); ok {
		if !isSafe(basic) {
			return nil, 0, fail(fmt.Errorf("%w: JavaScript cannot hold integers beyond 2^53 exactly; store text", codec.ErrType))
		}
		return digits, FlagNumber, nil
	}
	data, _, err = codec.JSON{MaxElements: c.MaxElements}.Encode(v)
	if err != nil {
		return nil, 0, fail(err)
	}
	return data, FlagJSON, nil // without line ends, which JSON escapes
}

// Decode sets v to the value that the npm package memcached stored.
func (c Codec) Decode(data []byte, flags uint32, v any) error {
	var err error
	switch flags {
	case 0:
		err = convert.Text(v, unescape(data))
	case FlagJSON:
		err = codec.JSON{MaxElements: c.MaxElements}.Decode(unescape(data), 0, v)
	case FlagBinary:
		var b []byte
		if b, err = fromCharacters(unescape(data)); err == nil {
			err = convert.Bytes(v, b, true)
		}
	case FlagNumber:
		err = decodeNumber(data, v)
	default:
		err = fmt.Errorf("%w: %#x", codec.ErrFlags, flags)
	}
	if err != nil {
		return fail(err)
	}
	return nil
}

// decodeNumber decodes decimal text that is an integer or not. The server may have
// counted with it and padded it with spaces.
func decodeNumber(data []byte, v any) error {
	err := convert.Digits(v, data)
	if !errors.Is(err, convert.ErrNotNumber) {
		return err
	}
	if err := convert.Decimal(v, data); !errors.Is(err, convert.ErrNotNumber) {
		return err
	}
	return codec.ErrCorrupt
}

// fail adds the package's name to an error.
func fail(err error) error { return fmt.Errorf("nodememcached: %w", err) }
