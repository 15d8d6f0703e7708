package convert

import (
	"bytes"

	"github.com/bmemcached/bmemcached-go/binary/codec/internal/limit"
)

// maxCost is what the numbers may cost that a value has as text and that are decoded
// into numbers: as much as the elements of a value, unless a codec is told otherwise.
const maxCost = 1 << 18

// What strconv and math/big need for a number of more digits than 64 bits have, or that
// is next to the smallest or largest float64: they go through its digits again for
// every 18 places of its exponent, up to maxKept of them. slow is how many of these
// steps take as long as an element, perElement how many more digits of a big.Int take
// as much memory.
const (
	exactDigits = 20
	exactPlaces = 300
	maxKept     = 800
	maxPlaces   = 340
	slow        = 48
	perElement  = 8
)

// NumberCost returns how many elements a number counts that is written in decimal: one
// for what fits 64 bits, and hundreds for 5e-324 or thousands of digits.
func NumberCost(text []byte) int {
	digits, places := measure(text)
	cost := max(0, len(text)-exactDigits) / perElement
	if digits > exactDigits || places > exactPlaces {
		places = min(places, maxPlaces)
		cost = max(cost, (min(digits, maxKept)+places/2)*(places/18+2)/slow)
	}
	return 1 + cost
}

// measure returns how many digits a number has without zeros in front, and how many
// places its first one is away from the point.
func measure(text []byte) (digits, places int) {
	mantissa, exponent := text, []byte(nil)
	if i := bytes.IndexAny(text, "eE"); i >= 0 {
		mantissa, exponent = text[:i], text[i+1:]
	}
	fraction := false
	for _, c := range mantissa {
		switch {
		case c == '.':
			fraction = true
		case c == '0' && digits == 0:
			if fraction {
				places--
			}
		case c >= '0' && c <= '9':
			digits++
			if !fraction {
				places++
			}
		}
	}
	places += power(exponent)
	return digits, max(places, -places)
}

// power reads an exponent, as far as it matters here.
func power(text []byte) (n int) {
	for _, c := range text {
		if c >= '0' && c <= '9' && n < 10*maxPlaces*maxKept {
			n = 10*n + int(c-'0')
		}
	}
	if len(text) > 0 && text[0] == '-' {
		return -n
	}
	return n
}

// A converter decodes one value, and counts what its numbers cost.
type converter struct{ cost int }

// spend counts text that is read as a number.
func (c *converter) spend(text []byte) error {
	if c.cost += NumberCost(text); c.cost > maxCost {
		return limit.Exceeded(limit.Elements, maxCost)
	}
	return nil
}
