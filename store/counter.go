package store

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// A counter is an item of the store's own on the server: one for the generation
// of a prefix, one for every tag. It only ever grows. A new one begins at the
// clock's microseconds, so that a counter that was evicted comes back with a
// number that was never used.

// maxDigits is more than a counter has digits.
const maxDigits = 24

// firstCount is where a new counter begins: above what an earlier counter of
// the same key has reached.
func firstCount() uint64 { return uint64(time.Now().UnixMicro()) }

// parseCount returns the number in a counter.
func parseCount(value []byte) (uint64, error) {
	n, err := strconv.ParseUint(number(value), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: not a counter", ErrCorrupt)
	}
	return n, nil
}

// uncertain reports whether the connection broke during an operation, so that
// the server may or may not have done it. The client does not repeat an
// increment then.
func uncertain(err error) bool {
	var fault *memcached.OpError
	return errors.As(err, &fault) && !fault.SafeToRetry() && !fault.Timeout() &&
		errors.Is(err, memcached.ErrUnavailable)
}
