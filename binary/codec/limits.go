package codec

import (
	"fmt"

	"github.com/bmemcached/bmemcached-go/binary/codec/internal/convert"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/limit"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/pack"
)

// The limits of what codecs read, whoever stored it. A value of a few hundred bytes
// can decompress to gigabytes, or refer a hundred thousand times to one large
// number. What exceeds a limit gives a *LimitError before memory is allocated for
// it. With the defaults, no value takes more than 64 MiB while it is decoded
// into an any.
const (
	// MaxSize is the size, in bytes, to which values decompress when a codec is not
	// told otherwise: 16 MiB.
	MaxSize = pack.DefaultLimit

	// MaxElements is how much lists and maps may hold when a codec is not told
	// otherwise: 262,144. Every value and every key of a map counts one, a list or a
	// map counts four. An integer of more than 64 bits counts one for each 64 bits, and
	// a decimal number that takes long to read, as one of thousands of digits or 5e-324
	// does, up to some hundred.
	MaxElements = 1 << 18

	// MaxDigits is how many decimal digits a number may have: 4,300. Reading more
	// takes quadratic time, and Python refuses it as well
	// (sys.int_info.default_max_str_digits).
	MaxDigits = convert.MaxDigits

	// MaxDepth is how deep lists and maps may nest in the formats of PHP and Ruby:
	// 100. In JSON it is 10,000, the limit of encoding/json.
	MaxDepth = 100
)

// A LimitError is returned for a value that exceeds a limit. It matches ErrTooLarge.
type LimitError struct {
	// Limit names the limit: "size", in bytes after decompression, "elements",
	// "digits" or "depth". MaxSize, MaxElements, MaxDigits and MaxDepth say what
	// they count.
	Limit string

	// Max is the largest number that is allowed.
	Max int
}

// Error names the limit.
func (e *LimitError) Error() string {
	return fmt.Sprintf("%v: more than %d in %s", ErrTooLarge, e.Max, e.Limit)
}

// Unwrap returns ErrTooLarge.
func (e *LimitError) Unwrap() error { return ErrTooLarge }

func init() {
	limit.Exceeded = func(name string, most int) error { return &LimitError{Limit: name, Max: most} }
}
