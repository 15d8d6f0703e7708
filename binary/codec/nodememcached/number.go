package nodememcached

import (
	"encoding/json"
	"math"
	"math/big"

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
