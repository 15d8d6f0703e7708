package codec

import (
	"unicode/utf8"

	"github.com/bmemcached/bmemcached-go/binary/codec/internal/convert"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/limit"
)

// containerCost is what a list or map counts beside its elements: an empty one takes
// as much memory as some numbers.
const containerCost = 3

// withinLimits returns the error of JSON that exceeds a limit of elements or digits.
// It allocates nothing and stops where it knows. Where data turns out not to be JSON
// it returns nil: encoding/json says so, before it allocates anything.
func withinLimits(data []byte, maxElements int) error {
	// No byte counts more than twelve, of 1e-324.
	if len(data) <= maxElements/12 && len(data) <= MaxDigits {
		return nil
	}
	if len(data) > MaxSize/3 && sizeDecoded(data) > max(MaxSize, len(data)) {
		return limit.Exceeded(limit.Size, MaxSize)
	}
	elements := 0
	for i := 0; i < len(data); {
		switch c := data[i]; {
		case c == '"':
			i = stringEnd(data, i)
			elements++
		case c == '[' || c == '{':
			i++
			elements += 1 + containerCost
		case isWord(c):
			end := wordEnd(data, i)
			if end-i > MaxDigits {
				return limit.Exceeded(limit.Digits, MaxDigits)
			}
			elements += wordCost(data[i:end])
			i = end
		case c == ',' || c == ':' || c == ']' || c == '}' || c == ' ' || c == '\n' || c == '\r' || c == '\t':
			i++
		default:
			return nil
		}
		if elements > maxElements {
			return limit.Exceeded(limit.Elements, maxElements)
		}
	}
	return nil
}

// isWord says whether c is part of a number, or of true, false or null.
func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == '-' || c == '+' || c == '.' || c == 'E'
}

// wordCost is what a word counts: a number of many digits is more work than others.
func wordCost(word []byte) int {
	if word[0] >= 'a' { // true, false, null
		return 1
	}
	return convert.NumberCost(word)
}

func wordEnd(data []byte, i int) int {
	for i < len(data) && isWord(data[i]) {
		i++
	}
	return i
}

// stringEnd returns where the string ends that begins at i.
func stringEnd(data []byte, i int) int {
	for i++; i < len(data); i++ {
		switch data[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return len(data)
}

// sizeDecoded is the size of JSON in which each byte that is not UTF-8 has become the
// three of U+FFFD, as encoding/json does it.
func sizeDecoded(data []byte) int {
	if utf8.Valid(data) {
		return len(data)
	}
	size := len(data)
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			size += utf8.UTFMax - 2
		}
		i += n
	}
	return size
}
