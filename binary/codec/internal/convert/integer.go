package convert

import (
	"bytes"
	"errors"
	"math/big"
	"strconv"

	"github.com/bmemcached/bmemcached-go/binary/codec/internal/limit"
)

// MaxDigits is the length up to which decimal integers are read and written.
// Reading takes quadratic time, and Python, whose integers are the largest, refuses
// more as well (sys.int_info.default_max_str_digits).
const MaxDigits = 4300

// MaxBits is how many bits MaxDigits digits have: 1000 digits are 3322 bits and a
// fraction.
const MaxBits = MaxDigits * 3322 / 1000

// ErrNotNumber says that text is not a decimal number.
var ErrNotNumber = errors.New("not a decimal number")

// AppendInteger appends v in decimal if it is an integer type or a *big.Int of at
// most MaxDigits digits.
func AppendInteger(dst []byte, v any) ([]byte, bool) {
	if i, ok := Signed(v); ok {
		return strconv.AppendInt(dst, i, 10), true
	}
	if u, ok := Unsigned(v); ok {
		return strconv.AppendUint(dst, u, 10), true
	}
	if b, ok := v.(*big.Int); ok && b.BitLen() <= MaxBits {
		return b.Append(dst, 10), true
	}
	return dst, false
}

// Digits decodes the decimal integer in text into dst. Space around it is allowed:
// memcached pads a counter that became shorter (proto_bin.c, complete_incr_bin).
func Digits(dst any, text []byte) error {
	text = bytes.Trim(text, " \t\r\n")
	if len(text) == 0 {
		return ErrNotNumber
	}
	if len(text) > MaxDigits+1 {
		return tooLong(text, ErrNotNumber)
	}
	if len(text) > exactDigits { // strconv copies what it refuses
		return bigDigits(dst, text)
	}
	if i, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		return Int(dst, i)
	}
	if u, err := strconv.ParseUint(string(text), 10, 64); err == nil {
		return Uint(dst, u)
	}
	return bigDigits(dst, text)
}

func bigDigits(dst any, text []byte) error {
	digits := bytes.TrimLeft(text, "+-")
	if len(text)-len(digits) > 1 || bytes.ContainsFunc(digits, notDigit) {
		return ErrNotNumber
	}
	b, ok := new(big.Int).SetString(string(text), 10)
	if !ok {
		return ErrNotNumber
	}
	return Big(dst, b)
}

// tooLong returns the error of text that is too long for a number: one of the limit
// if it is a number as far as one can tell, else the one given.
func tooLong(text []byte, otherwise error) error {
	if bytes.ContainsFunc(text[1:MaxDigits+1], notDigit) {
		return otherwise
	}
	return limit.Exceeded(limit.Digits, MaxDigits)
}

func notDigit(r rune) bool { return r < '0' || r > '9' }

// Int decodes i into dst.
func Int(dst any, i int64) error {
	switch dst := dst.(type) {
	case *int64:
		if dst != nil {
			*dst = i
			return nil
		}
	case *int:
		if dst != nil && int64(int(i)) == i {
			*dst = int(i)
			return nil
		}
	case *string:
		if dst != nil {
			*dst = strconv.FormatInt(i, 10)
			return nil
		}
	}
	return Value(dst, i)
}

// Uint decodes u into dst; into an any it goes as an int64 when it fits one.
func Uint(dst any, u uint64) error {
	if i := int64(u); i >= 0 {
		return Int(dst, i)
	}
	return Value(dst, u)
}

// Big decodes b, which dst may keep, into dst; into an any it goes as an int64 or
// uint64 when it fits one.
func Big(dst any, b *big.Int) error {
	switch {
	case b.IsInt64():
		return Int(dst, b.Int64())
	case b.IsUint64():
		return Uint(dst, b.Uint64())
	}
	return Value(dst, b)
}
