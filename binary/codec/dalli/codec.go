package dalli

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/convert"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/pack"
)

// The flags of Dalli (Dalli::Flags).
const (
	FlagSerialized uint32 = 1 << 0 // serialized, by Marshal unless configured
	FlagCompressed uint32 = 1 << 1 // compressed, with zlib or gzip
	FlagUTF8       uint32 = 1 << 2 // UTF-8 text, not serialized

	allFlags = FlagSerialized | FlagCompressed | FlagUTF8
)

// CompressionMinSize is the size in bytes from which Dalli compresses
// (compression_min_size).
const CompressionMinSize = 4096

// A Serializer says how values are written. Reading recognises each by itself.
type Serializer int

// The serializers.
const (
	Marshal Serializer = iota // Ruby's Marshal: Dalli's default
	JSON                      // serializer: JSON
	Raw                       // raw: true: bytes, text and decimal integers as they are
)

// Codec reads and writes values of Dalli. The zero value does what Dalli does by
// default. It may be used concurrently as long as its fields do not change.
type Codec struct {
	// Serializer is how values are written; it must be what the Ruby side uses.
	Serializer Serializer

	// CompressAbove is the size in bytes above which values are compressed, if that
	// makes them smaller. 0: CompressionMinSize - 1; negative: never, as with
	// compress: false.
	CompressAbove int

	// Gzip writes gzip instead of zlib, for a Ruby side with Dalli::GzipCompressor.
	// Both are read.
	Gzip bool

	// MaxSize limits, in bytes, what values decompress to; above it Decode returns
	// codec.ErrTooLarge. 0: codec.MaxSize.
	MaxSize int

	// MaxElements limits what arrays and hashes may hold, counted as
	// codec.MaxElements is; above it Encode and Decode return codec.ErrTooLarge.
	// 0: codec.MaxElements.
	MaxElements int

	// Load decodes a serialized value that is not data, which it may read only
	// during the call. Its result is decoded into what Decode was given. nil: such
	// values give a *codec.ObjectError.
	Load func(serialized []byte) (any, error)
}

var _ codec.Codec = Codec{}

// Encode returns v as Dalli would store it. Marshal takes nil, booleans, numbers,
// strings, []byte, and slices and maps of these with keys of string types; JSON
// takes what encoding/json does, except a []byte; Raw takes integers, strings and
// []byte.
func (c Codec) Encode(v any) (data []byte, flags uint32, err error) {
	switch c.Serializer {
	case Marshal:
		data, err = appendMarshal([]byte(marshalHeader), v, c.MaxElements)
		flags = FlagSerialized
	case JSON:
		data, err = c.encodeJSON(v)
		flags = FlagSerialized
	case Raw:
		data, err = encodeRaw(v)
	default:
		err = fmt.Errorf("unknown serializer %d", c.Serializer)
	}
	if err != nil {
		return nil, 0, fail(err)
	}
	if smaller := c.compress(data); smaller != nil {
		return smaller, flags | FlagCompressed, nil
	}
	return data, flags, nil
}

// compress returns data compressed if that is wanted and worth it, or nil.
func (c Codec) compress(data []byte) []byte {
	above := c.CompressAbove
	if above == 0 {
		above = CompressionMinSize - 1
	}
	switch {
	case above < 0 || len(data) <= above || len(data) > pack.Limit(c.MaxSize):
		return nil
	case c.Gzip:
		return pack.Gzip(data)
	}
	return pack.Zlib(data)
}

func (c Codec) encodeJSON(v any) ([]byte, error) {
	if b, err := convert.Basic(v); err == nil {
		if _, ok := b.([]byte); ok {
			return nil, fmt.Errorf("%w: JSON cannot hold bytes; use Marshal or Raw", codec.ErrType)
		}
	}
	data, _, err := codec.JSON{MaxElements: c.MaxElements}.Encode(v)
	return data, err
}

func encodeRaw(v any) ([]byte, error) {
	basic, err := convert.Basic(v)
	if err != nil {
		return nil, err
	}
	switch b := basic.(type) {
	case string:
		return []byte(b), nil
	case []byte:
		return b, nil
	}
	if digits, ok := convert.AppendInteger(nil, basic); ok {
		return digits, nil
	}
	return nil, fmt.Errorf("%w: Raw stores bytes, text and integers, not %T", codec.ErrType, v)
}

// Decode sets v to the value that Dalli stored.
func (c Codec) Decode(data []byte, flags uint32, v any) error {
	if flags&^allFlags != 0 {
		return fail(fmt.Errorf("%w: %#x", codec.ErrFlags, flags))
	}
	plain, text, err := c.decompress(data, flags)
	if err != nil {
		return fail(err)
	}
	if flags&FlagSerialized != 0 {
		return c.decodeSerialized(plain, v)
	}
	if text && utf8.Valid(plain) {
		err = convert.Text(v, plain)
	} else {
		err = convert.Bytes(v, plain, flags&FlagCompressed != 0)
	}
	if err != nil {
		return fail(err)
	}
	return nil
}

// decompress returns the plain bytes, and whether they are known to be UTF-8.
func (c Codec) decompress(data []byte, flags uint32) (plain []byte, text bool, err error) {
	text = flags&FlagUTF8 != 0
	if flags&FlagCompressed == 0 {
		return data, text, nil
	}
	switch {
	case pack.IsGzip(data):
		plain, err = pack.Ungzip(data, pack.Limit(c.MaxSize))
	case flags == FlagCompressed && !pack.IsZlib(data) && utf8.Valid(data):
		// Dalli 4.0.0 to 5.0.3 marked UTF-8 text with this bit, too.
		return bytes.Clone(data), true, nil
	default:
		plain, err = pack.Unzlib(data, 0, pack.Limit(c.MaxSize))
	}
	return plain, text, err
}

// decodeSerialized decodes what a serializer wrote: Marshal by its header, JSON, or
// something else.
func (c Codec) decodeSerialized(data []byte, v any) error {
	if !bytes.HasPrefix(data, []byte(marshalHeader)) {
		err := codec.JSON{MaxElements: c.MaxElements}.Decode(data, 0, v)
		if errors.Is(err, codec.ErrCorrupt) {
			return c.load(data, v, "unknown serializer")
		}
		if err != nil {
			return fail(err)
		}
		return nil
	}
	val, err := parseMarshal(data, c.MaxElements)
	if errors.Is(err, codec.ErrObject) {
		return c.load(data, v, "ruby marshal")
	}
	if err == nil {
		err = convert.Value(v, val)
	}
	if err != nil {
		return fail(err)
	}
	return nil
}

// load hands what is not data to the hook.
func (c Codec) load(data []byte, v any, format string) error {
	if c.Load == nil {
		return fail(&codec.ObjectError{Format: format, Data: bytes.Clone(data)})
	}
	val, err := c.Load(data)
	if err == nil {
		err = convert.Value(v, val)
	}
	if err != nil {
		return fail(err)
	}
	return nil
}

// fail adds the package's name to an error.
func fail(err error) error { return fmt.Errorf("dalli: %w", err) }
