package convert

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/bmemcached/bmemcached-go/binary/codec/internal/limit"
)

// Decimal decodes the decimal number in text into dst: one that may have a fraction,
// begin with its point, or be one of the words for infinity and not a number, which
// strconv knows in any case. Space around it is allowed, as in Digits.
func Decimal(dst any, text []byte) error {
	if len(text) > MaxDigits {
		return limit.Exceeded(limit.Digits, MaxDigits)
	}
	f, err := strconv.ParseFloat(string(bytes.TrimSpace(text)), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return ErrNotNumber
	}
	return Value(dst, f)
}
