package codec

import (
	"errors"

	"github.com/bmemcached/bmemcached-go/binary/codec/internal/convert"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/limit"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/pack"
)

// The errors of this package and of its subpackages wrap one of these, unless they
// come from a hook or a method of the caller's own. Their texts name types and
// formats, never values.
var (
	// ErrType says that a Go type cannot be stored with this Codec, or that a
	// stored value does not fit the Go type that it is decoded into.
	ErrType = convert.ErrType

	// ErrCorrupt says that the bytes are not what the flags promise.
	ErrCorrupt = pack.ErrCorrupt

	// ErrTooLarge says that a value exceeds a limit: see MaxSize. The error is a
	// *LimitError, which says which one.
	ErrTooLarge = limit.ErrTooLarge

	// ErrFlags says that the flags are not those of this Codec: somebody else
	// stored the item.
	ErrFlags = errors.New("flags are not of this format")

	// ErrObject says that the value is an object of another language, serialized in
	// a format that is more than data. The error is an *ObjectError.
	ErrObject = errors.New("value is a serialized object")
)

// An ObjectError is returned for a value that is a serialized object of another
// language. It matches ErrObject.
type ObjectError struct {
	// Format names the format: "pickle", "ruby marshal", "java serialization",
	// "php serialize", "igbinary" or "msgpack".
	Format string

	// Data is the serialized object, decompressed. It belongs to the caller.
	Data []byte
}

// Error names the format. It does not show the data.
func (e *ObjectError) Error() string {
	return ErrObject.Error() + " (" + e.Format + ")"
}

// Unwrap returns ErrObject.
func (e *ObjectError) Unwrap() error { return ErrObject }
