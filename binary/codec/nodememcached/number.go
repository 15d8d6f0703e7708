package nodememcached

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strconv"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/convert"
)

// maxSafe is Number.MAX_SAFE_INTEGER.
const maxSafe = 1<<53 - 1

// isSafe says whether v, an integer, is one that JavaScript holds exactly.
func isSafe(v any) bool {
	if b, ok := v.(*big.Int); ok {
		return b.IsInt64() && isSafe(b.Int64())
	}
	i, ok := convert.Signed(v)
	return ok && i >= -maxSafe && i <= maxSafe
}

// appendNumber appends f as JavaScript's String does. encoding/json writes finite
// numbers the same way (ECMAScript, Number::toString).
func appendNumber(dst []byte, f float64) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case f == 0:
		return append(dst, '0') // and so for -0
	}
	text, err := json.Marshal(f)
	if err != nil {
		panic("nodememcached: " + err.Error()) // only for what is not finite
	}
	return append(dst, text...)
}

// parseNumber reads what appendNumber writes.
func parseNumber(text []byte) (float64, error) {
	if len(text) > codec.MaxDigits {
		return 0, &codec.LimitError{Limit: "digits", Max: codec.MaxDigits}
	}
	f, err := strconv.ParseFloat(string(bytes.TrimSpace(text)), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, codec.ErrCorrupt
	}
	return f, nil
}
