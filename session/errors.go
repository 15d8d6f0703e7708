package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/bmemcached/bmemcached-go/binary"
)

// What can go wrong with a session. Errors of this package wrap one of these
// and keep their cause reachable; none holds a session ID, a key or a user.
var (
	// ErrNotFound says that the session ended while the request ran: it was
	// logged out, renewed by another request, expired or evicted. Nothing was
	// stored, and nothing will be: the next request starts a new session.
	// Loading a session that is not there is no error but a new session.
	ErrNotFound = errors.New("session: the session has ended")

	// ErrUnavailable says that memcached could not be asked or did not answer,
	// or not before the request's deadline, which is context.DeadlineExceeded
	// as well. When loading fails this way, the session is empty and can be
	// used, but Save refuses with this error, because what is stored is not
	// known. It is the client's ErrUnavailable.
	ErrUnavailable = memcached.ErrUnavailable

	// ErrTooLarge says that the session is above Options.MaxSize. Nothing was
	// sent; the session stored before is still there. It is the client's
	// ErrTooLarge.
	ErrTooLarge = memcached.ErrTooLarge

	// ErrConflict says that another request changed the same session and that
	// the changes cannot both be kept: both took the same flash messages, or
	// other requests kept changing it. This request's changes were not stored.
	// Saving again stores those that are in no conflict.
	ErrConflict = errors.New("session: changed by another request at the same time")

	// ErrDecode says that the stored session cannot be read: it is of a newer
	// format, was altered, was sealed under a key that the store does not have,
	// or holds a type that this program does not know.
	// Save refuses to overwrite it; logout and Renew end it.
	ErrDecode = errors.New("session: the stored session cannot be read")

	// ErrResponseStarted says that Save came after the first byte of the
	// response, too late for a cookie. Nothing was stored.
	ErrResponseStarted = errors.New("session: saved after the response has started; save before writing, or use Autosave")

	// ErrKeys says that the keys passed to New or NewSCS are missing or of a
	// wrong size.
	ErrKeys = errors.New("session: bad keys")
)

var (
	errNoUser     = errors.New("session: empty user")
	errNoSession  = errors.New("session: nil session, request, writer or options")
	errReplicates = errors.New("session: the client replicates (memcached.Options.Replicate): it keeps no versions, which safe sessions need")
	errNoCAS      = errors.New("session: the server keeps no versions (memcached -C, or a client that replicates), which safe sessions need")
)

// fault says what was being done when the client failed. Whatever kept memcached
// from answering is ErrUnavailable and keeps its cause. The text says no more
// than the cause does, because time can run out, or a client be closed, with the
// server in good health. A cancellation is not ErrUnavailable: nobody waits for
// an answer any more.
func fault(doing string, err error) error {
	if errors.Is(err, ErrUnavailable) || errors.Is(err, ErrTooLarge) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("session: %s: %w", doing, err)
	}
	return &unansweredError{doing, err}
}

// unansweredError is ErrUnavailable for a cause that is not by itself.
type unansweredError struct {
	doing string
	cause error
}

func (e *unansweredError) Error() string { return "session: " + e.doing + ": " + e.cause.Error() }

func (e *unansweredError) Is(target error) bool { return target == ErrUnavailable }

func (e *unansweredError) Unwrap() error { return e.cause }

// undecodable says why a stored session cannot be read.
func undecodable(reason string) error {
	return fmt.Errorf("%w: %s", ErrDecode, reason)
}
