package bmemcached

import (
	"errors"

	"github.com/bmemcached/bmemcached-go/binary/codec"
)

// ErrPickle says that a value is a pickle, which is not executed here. The error
// is a *PickleError, which has the bytes.
var ErrPickle = errors.New("bmemcached: value is a pickle, which is not executed; set Unpickle to a reader that builds data only, or store JSON text")

// A PickleError is returned for a pickle when Unpickle is not set. It matches
// ErrPickle and codec.ErrObject.
type PickleError struct {
	// Data is the pickle, decompressed. It belongs to the caller.
	Data []byte
}

// Error says what to do. It does not show the data.
func (e *PickleError) Error() string { return ErrPickle.Error() }

// Unwrap returns ErrPickle and a *codec.ObjectError with the format "pickle".
func (e *PickleError) Unwrap() []error {
	return []error{ErrPickle, &codec.ObjectError{Format: "pickle", Data: e.Data}}
}
