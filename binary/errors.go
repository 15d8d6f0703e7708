package memcached

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// Answers of a healthy server. Operations return them bare.
var (
	// ErrCacheMiss says that the key is not in the cache.
	ErrCacheMiss = errors.New("memcached: cache miss")

	// ErrNotStored says that the condition of Add, Replace, Append or Prepend
	// did not hold: the key exists, or does not.
	ErrNotStored = errors.New("memcached: item not stored")

	// ErrCASConflict says that the item changed since it was read.
	ErrCASConflict = errors.New("memcached: compare-and-swap conflict")
)

// Faults and misuse. Operations return them wrapped in an OpError.
var (
	// ErrMalformedKey says that a key is empty, longer than 250 bytes together
	// with Options.Prefix, or has a space or control character. Nothing was
	// sent. See SafeKey.
	ErrMalformedKey = errors.New("memcached: malformed key: want 1 to 250 bytes without spaces and control characters (SafeKey makes one from any string)")

	// ErrTooLarge says that a value is larger than the server accepts, or from a
	// read, larger than the client does: see Options.MaxItemSize. When the client
	// refused to send it, the old value is kept; when the server refused it, the
	// old value is deleted.
	ErrTooLarge = errors.New("memcached: value too large")

	// ErrNotNumber says that Increment or Decrement met a value that is not a
	// decimal number.
	ErrNotNumber = errors.New("memcached: value is not a number")

	// ErrAuth says that a server refused the credentials, demands credentials
	// that Options.Auth does not give, or offers no authentication.
	ErrAuth = errors.New("memcached: authentication failed")

	// ErrUnavailable says that a server could not be reached, did not answer in
	// time or broke the protocol, or that too many operations are waiting for
	// it.
	ErrUnavailable = errors.New("memcached: server unavailable")

	// ErrClosed says that the client was closed.
	ErrClosed = errors.New("memcached: client is closed")
)

// Misuse that has no sentinel of its own: each is returned in an OpError.
var (
	errNilContext = errors.New("memcached: nil context")
	errNilItem    = errors.New("memcached: nil item")
	errNoCAS      = errors.New("memcached: no CAS: the item was not read from a server that keeps versions (memcached -C disables them)")
	errReplicated = errors.New("memcached: compare-and-swap operations are not available with Options.Replicate: servers number versions on their own")
)

// OpError is a fault of one operation: where it happened and why.
type OpError struct {
	// Op is the operation: "get", "set", "increment" and so on.
	Op string
	// Key is the key, if the operation has one. Error does not show it: keys
	// can hold personal data, and errors end up in logs.
	Key string
	// Server is the address of the server, as given to New, if one was chosen.
	Server string
	// Err is the cause.
	Err error

	unsafe bool
}

// Error returns the operation, the server and the cause.
func (e *OpError) Error() string {
	cause := "unknown fault"
	if e.Err != nil {
		cause = strings.TrimPrefix(e.Err.Error(), "memcached: ")
	}
	if e.Server == "" {
		return "memcached: " + e.Op + ": " + cause
	}
	return "memcached: " + e.Op + " on " + e.Server + ": " + cause
}

// Unwrap returns the cause.
func (e *OpError) Unwrap() error { return e.Err }

// Timeout reports whether time ran out: the context's deadline or
// Options.Timeout.
func (e *OpError) Timeout() bool {
	return errors.Is(e.Err, os.ErrDeadlineExceeded) || errors.Is(e.Err, context.DeadlineExceeded)
}

// SafeToRetry reports whether the operation can be repeated without being
// applied twice: either it is a read, or the server certainly did not and will
// not carry it out. If it is false, the write may have been carried out, or may
// be yet.
func (e *OpError) SafeToRetry() bool { return !e.unsafe }

// StatusError is a response that says the operation failed.
type StatusError struct {
	// Status is the response's status field.
	Status Status
	// Message is the text that the server sent with it, cut to 256 bytes.
	Message string

	refused bool // 0x20 for another reason than credentials
}

// Error returns the status and the server's text.
func (e *StatusError) Error() string {
	text := fmt.Sprintf("memcached: server answered status 0x%02x (%s)", uint16(e.Status), e.Status)
	if e.Message != "" && !strings.EqualFold(e.Message, e.Status.String()) {
		text += fmt.Sprintf(": %q", e.Message)
	}
	return text
}

// Is maps the status to the sentinel of the same meaning, so that
// errors.Is(err, ErrTooLarge) works.
func (e *StatusError) Is(target error) bool {
	switch wire.Status(e.Status) {
	case wire.StatusKeyNotFound:
		return target == ErrCacheMiss
	case wire.StatusKeyExists:
		return target == ErrCASConflict
	case wire.StatusTooLarge:
		return target == ErrTooLarge
	case wire.StatusNotStored:
		return target == ErrNotStored
	case wire.StatusNotNumber:
		return target == ErrNotNumber
	case wire.StatusAuthError, wire.StatusAuthErrorLegacy:
		return target == ErrAuth && !e.refused
	case wire.StatusBusy, wire.StatusTemporaryFailure:
		return target == ErrUnavailable
	default:
		return false
	}
}

// MultiError says which parts of an operation on several keys or servers
// failed, and why. The other parts succeeded.
type MultiError struct {
	// Errors are the failures: by key from GetMulti, SetMulti and DeleteMulti;
	// by server, as given to New, from Ping, Versions, ServerStats and FlushAll.
	Errors map[string]error
}

// Error returns one of the errors and how many more there are.
func (e *MultiError) Error() string {
	if len(e.Errors) == 0 {
		return "memcached: no errors"
	}
	first := e.Errors[slices.Min(slices.Collect(maps.Keys(e.Errors)))]
	if len(e.Errors) == 1 {
		return first.Error()
	}
	return fmt.Sprintf("%v (and %d more)", first, len(e.Errors)-1)
}

// Unwrap returns the errors, so that errors.Is and errors.As look into each.
func (e *MultiError) Unwrap() []error {
	keys := slices.Sorted(maps.Keys(e.Errors))
	errs := make([]error, 0, len(keys))
	for _, key := range keys {
		errs = append(errs, e.Errors[key])
	}
	return errs
}

// unavailableError is a fault of a server: it is ErrUnavailable and keeps its
// cause reachable.
type unavailableError struct{ cause error }

func unavailable(cause error) error { return &unavailableError{cause} }

func (e *unavailableError) Error() string {
	return "memcached: server unavailable: " + strings.TrimPrefix(e.cause.Error(), "memcached: ")
}

func (e *unavailableError) Is(target error) bool { return target == ErrUnavailable }

func (e *unavailableError) Unwrap() error { return e.cause }

// timeoutError says that Options.Timeout ran out. A context's deadline is
// returned as the context's error instead.
type timeoutError struct{ text string }

func (e *timeoutError) Error() string { return "memcached: " + e.text }

func (e *timeoutError) Is(target error) bool {
	return target == ErrUnavailable || target == os.ErrDeadlineExceeded
}

// Timeout makes the error a net.Error's kind of timeout.
func (e *timeoutError) Timeout() bool { return true }

var errTimeout = &timeoutError{"no answer within Options.Timeout"}
