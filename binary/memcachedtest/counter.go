package memcachedtest

import (
	"bytes"
	"math"
	"strconv"
)

// parseCounter reads a number as memcached does (util.c, safe_strtoull, which
// is C's strtoull): leading white space and a sign are skipped, and digits may
// be followed by white space and then by anything. A NUL ends the number.
func parseCounter(b []byte) (uint64, bool) {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	b = bytes.TrimLeft(b, " \t\n\v\f\r")
	negative := len(b) > 0 && b[0] == '-'
	if negative || len(b) > 0 && b[0] == '+' {
		b = b[1:]
	}
	digits := 0
	for digits < len(b) && b[digits] >= '0' && b[digits] <= '9' {
		digits++
	}
	if digits < len(b) && !isSpace(b[digits]) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[:digits]), 10, 64)
	if err != nil {
		return 0, false
	}
	if negative {
		n = -n
	}
	// A minus is looked for only in numbers that are negative as int64.
	if n > math.MaxInt64 && (negative || bytes.IndexByte(b, '-') >= 0) {
		return 0, false
	}
	return n, true
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }
