package policy

import (
	"net/http"
	"strings"
	"time"
)

// Selected is the stored representation against which conditions are evaluated.
type Selected struct {
	ETag         string // empty: none
	LastModified string // empty: none
	Date         time.Time
}

// NotModified reports whether a request's conditions are answered with 304
// (RFC 9110, section 13.2.2): If-None-Match if there is one, otherwise
// If-Modified-Since.
func NotModified(h http.Header, s Selected, now time.Time) bool {
	if lines, ok := h["If-None-Match"]; ok {
		return matchesAny(lines, s.ETag)
	}
	lines := h["If-Modified-Since"]
	if len(lines) != 1 {
		return false
	}
	since, ok := ParseDate(lines[0], now)
	if !ok {
		return false
	}
	// Without Last-Modified, the time of the response stands in for it: RFC
	// 9111, section 4.3.2.
	modified := s.Date
	if s.LastModified != "" {
		if modified, ok = ParseDate(s.LastModified, now); !ok {
			return false
		}
	}
	return !modified.Truncate(time.Second).After(since)
}

// matchesAny compares weakly: RFC 9110, section 13.1.2.
func matchesAny(lines []string, etag string) bool {
	for _, line := range lines {
		for candidate := range elements(line) {
			if candidate == "*" || etag != "" && weak(candidate) == weak(etag) {
				return true
			}
		}
	}
	return false
}

func weak(etag string) string { return strings.TrimPrefix(etag, "W/") }

// IsStrong reports whether etag is a strong validator.
func IsStrong(etag string) bool { return len(etag) >= 2 && etag[0] == '"' && etag[len(etag)-1] == '"' }

// IsConditional reports whether the request has a condition that a cache
// answers.
func IsConditional(h http.Header) bool {
	return len(h["If-None-Match"]) > 0 || len(h["If-Modified-Since"]) > 0
}

// HasPrecondition reports whether the request has a condition that only the
// origin may evaluate (RFC 9110, section 13.2.1).
func HasPrecondition(h http.Header) bool {
	return len(h["If-Match"]) > 0 || len(h["If-Unmodified-Since"]) > 0
}
