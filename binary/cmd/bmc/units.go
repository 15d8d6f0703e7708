package main

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// maxTTL is longer than memcached can count.
const maxTTL = 200 * 365 * 24 * time.Hour

// parseTTL reads a time to live: a number of seconds, a duration of Go such as
// 1h30m, or days such as 7d. Zero is until evicted.
func parseTTL(text string) (time.Duration, error) {
	err := errors.New("want seconds, a duration such as 90s or 1h30m, or days such as 7d; 0 is until evicted")
	unit, number := time.Second, text
	if days, ok := strings.CutSuffix(text, "d"); ok {
		unit, number = 24*time.Hour, days
	}
	if n, numErr := strconv.ParseUint(number, 10, 63); numErr == nil {
		if n > uint64(maxTTL/unit) {
			return 0, err
		}
		return time.Duration(n) * unit, nil
	}
	d, durationErr := time.ParseDuration(text)
	if durationErr != nil || d < 0 || d > maxTTL {
		return 0, err
	}
	return d, nil
}

// maxSize is the largest item size that memcached takes.
const maxSize = 1 << 30

// parseSize reads a number of bytes as memcached -I takes it: 1048576, 1024k or
// 1m.
func parseSize(text string) (int, error) {
	unit, number := uint64(1), strings.ToLower(text)
	switch {
	case strings.HasSuffix(number, "k"):
		unit, number = 1<<10, strings.TrimSuffix(number, "k")
	case strings.HasSuffix(number, "m"):
		unit, number = 1<<20, strings.TrimSuffix(number, "m")
	}
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil || n == 0 || n > maxSize/unit {
		return 0, errors.New("want a number of bytes, with k or m, up to 1024m")
	}
	return int(n * unit), nil
}
