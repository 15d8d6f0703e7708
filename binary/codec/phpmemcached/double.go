package phpmemcached

import (
	"bytes"
	"errors"
	"math"
	"strconv"

	"github.com/bmemcached/bmemcached-go/binary/codec"
)

// appendDouble appends f as the extension's decoder takes it (g_fmt.c, strtod).
func appendDouble(dst []byte, f float64) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

// parseDouble reads a decimal number, which may begin with its point, or one of the
// words for what is none. strconv knows these in any case.
func parseDouble(text []byte) (float64, error) {
	if len(text) > codec.MaxDigits {
		return 0, &codec.LimitError{Limit: "digits", Max: codec.MaxDigits}
	}
	f, err := strconv.ParseFloat(string(bytes.TrimSpace(text)), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, codec.ErrCorrupt
	}
	return f, nil
}
