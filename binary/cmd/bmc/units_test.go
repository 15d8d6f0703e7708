package main

import (
	"testing"
	"time"
)

func TestParseTTL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"0": 0, "90": 90 * time.Second, "90s": 90 * time.Second, "1h30m": 90 * time.Minute, "7d": 7 * 24 * time.Hour,
		"2592001": 2592001 * time.Second, "1500ms": 1500 * time.Millisecond,
	} {
		if got, err := parseTTL(text); got != want || err != nil {
			t.Errorf("parseTTL(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "-1", "-1s", "1x", "1.5d", "73001d", "18446744073709551615", "9223372036854775807", "106751991167300d"} {
		if got, err := parseTTL(text); err == nil {
			t.Errorf("parseTTL(%q) = %v, want an error", text, got)
		}
	}
}

func TestParseSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"1": 1, "1024": 1024, "512k": 512 << 10, "2M": 2 << 20, "1024m": 1 << 30} {
		if got, err := parseSize(text); got != want || err != nil {
			t.Errorf("parseSize(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "m", "0", "-1", "1g", "1025m", "4294967295k", "1.5m"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("parseSize(%q) = %v, want an error", text, got)
		}
	}
}

func FuzzUnits(f *testing.F) {
	f.Add("7d")
	f.Add("1024m")
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := parseTTL(text); err == nil && (d < 0 || d > maxTTL) {
			t.Errorf("parseTTL(%q) = %v", text, d)
		}
		if n, err := parseSize(text); err == nil && (n < 1 || n > maxSize) {
			t.Errorf("parseSize(%q) = %d", text, n)
		}
		if version, ok := parseVersion(text); ok && len(version) < 3 {
			t.Errorf("parseVersion(%q) = %v, %t", text, version, ok)
		}
	})
}
