package convert_test

import (
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/codec/internal/convert"
)

// TestNumberCost says what is ordinary, and that the rest costs what it is worth: a
// hundred thousand elements are some tens of milliseconds.
func TestNumberCost(t *testing.T) {
	for _, text := range []string{
		"", "0", "-1", "1.5", "18446744073709551615", "-9223372036854775808", "1234567890123",
		"0.00001", "-1.2345678901234567e+99", "1.7976931348623157e+299", "2.2250738585072014e-299", "1E5", ".5", "true",
	} {
		if got := convert.NumberCost([]byte(text)); got != 1 {
			t.Errorf("NumberCost(%q) = %d, want 1", text, got)
		}
	}
	for _, tc := range []struct {
		text        string
		least, most int
	}{
		{"5e-324", 50, 100},
		{"0." + strings.Repeat("0", 323) + "5", 50, 100},
		{"1.7976931348623157e+308", 50, 100},
		{"1e99999999999999999999999999999999", 50, 100},
		{"1.00000000000000011102230246251565404236316680908203125", 2, 8},
		{strings.Repeat("7", 40), 2, 8},
		{strings.Repeat("7", 700) + "e-1020", 200, 500},
		{strings.Repeat("7", 4300), 200, 600},
		{strings.Repeat("0", 4300), 200, 600},
	} {
		if got := convert.NumberCost([]byte(tc.text)); got < tc.least || got > tc.most {
			t.Errorf("NumberCost(%.20q, %d bytes) = %d, want %d to %d", tc.text, len(tc.text), got, tc.least, tc.most)
		}
	}
}
