// Package limit makes the errors of values that exceed a limit of the codecs.
package limit

import (
	"errors"
	"fmt"
)

// The limits.
const (
	Size     = "size"     // bytes, decompressed
	Elements = "elements" // values and keys that a value holds
	Digits   = "digits"   // of one number
	Depth    = "depth"    // lists and maps within each other
)

// ErrTooLarge says that a value exceeds a limit.
var ErrTooLarge = errors.New("value exceeds a limit")

// Exceeded returns the error of a value that exceeds a limit. Package codec sets it:
// the type of these errors is exported there, and codec imports the packages that
// make them.
var Exceeded = func(name string, most int) error {
	return fmt.Errorf("%w: %s, %d", ErrTooLarge, name, most)
}
