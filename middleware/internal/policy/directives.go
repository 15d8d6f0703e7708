package policy

import (
	"net/http"
	"strings"
)

// Seconds is a delta-seconds value (RFC 9111, section 1.2.2). Absent means that
// there was none.
type Seconds int64

const (
	// Absent is the value of a directive that was not there.
	Absent Seconds = -1
	// maxSeconds is what larger values count as: RFC 9111, section 1.2.2.
	maxSeconds Seconds = 1 << 31
)

// Directives is a parsed Cache-Control field, of a request or a response.
type Directives struct {
	NoStore, NoCache, Private, Public               bool
	MustRevalidate, ProxyRevalidate, MustUnderstand bool
	OnlyIfCached, NoTransform                       bool

	MaxAge, SMaxAge                    Seconds
	StaleWhileRevalidate, StaleIfError Seconds
	MinFresh, MaxStale                 Seconds

	// Omit names the fields of the qualified forms of no-cache and private:
	// the response may be stored without them.
	Omit []string
}

func noDirectives() Directives {
	return Directives{
		MaxAge: Absent, SMaxAge: Absent, StaleWhileRevalidate: Absent,
		StaleIfError: Absent, MinFresh: Absent, MaxStale: Absent,
	}
}

// ParseRequest returns the directives of a request. Pragma: no-cache counts
// when there is no Cache-Control (RFC 9111, section 5.4).
func ParseRequest(h http.Header) Directives {
	lines := h["Cache-Control"]
	if len(lines) > 0 {
		return ParseCacheControl(lines)
	}
	d := noDirectives()
	for _, line := range h["Pragma"] {
		for element := range elements(line) {
			d.NoCache = d.NoCache || strings.EqualFold(element, "no-cache")
		}
	}
	return d
}

// ParseCacheControl reads the lines of a Cache-Control field. It is lenient
// where RFC 9111 asks for it: case does not matter, arguments may be quoted, of
// a repeated directive the first counts. Freshness that cannot be read counts
// as zero (section 4.2.1).
func ParseCacheControl(lines []string) Directives {
	d := noDirectives()
	for _, line := range lines {
		for element := range elements(line) {
			name, value, hasValue := strings.Cut(element, "=")
			d.add(name, value, hasValue)
			d.addMalformed(element)
		}
	}
	return d
}

// addMalformed obeys what restricts, in an element that is not what RFC 9111 says: many
// write a semicolon between directives.
func (d *Directives) addMalformed(element string) {
	for part := range separated(element, ';') {
		name := part[:tokenEnd(part)]
		if rest := part[len(name):]; part == element && (rest == "" || rest[0] == '=') {
			return // it is what add has seen
		}
		switch strings.ToLower(name) {
		case "private":
			d.Private = true
		case "no-store":
			d.NoStore = true
		case "no-cache":
			d.NoCache = true
		case "must-revalidate":
			d.MustRevalidate = true
		case "proxy-revalidate":
			d.ProxyRevalidate = true
		}
	}
}

func (d *Directives) add(name, value string, hasValue bool) {
	switch strings.ToLower(name) {
	case "max-age":
		setFirst(&d.MaxAge, freshness(value))
	case "s-maxage":
		setFirst(&d.SMaxAge, freshness(value))
	case "min-fresh":
		setFirst(&d.MinFresh, freshness(value))
	case "max-stale":
		setFirst(&d.MaxStale, maxStale(value, hasValue))
	case "stale-while-revalidate":
		setFirst(&d.StaleWhileRevalidate, freshness(value))
	case "stale-if-error":
		setFirst(&d.StaleIfError, freshness(value))
	case "public":
		d.Public = true
	case "no-store":
		d.NoStore = true
	case "no-cache":
		d.qualified(&d.NoCache, value)
	case "private":
		d.qualified(&d.Private, value)
	case "must-revalidate":
		d.MustRevalidate = true
	case "proxy-revalidate":
		d.ProxyRevalidate = true
	case "must-understand":
		d.MustUnderstand = true
	case "only-if-cached":
		d.OnlyIfCached = true
	case "no-transform":
		d.NoTransform = true
	}
}

// qualified handles no-cache and private, whose argument limits them to the
// fields it names (RFC 9111, sections 5.2.2.4 and 5.2.2.7). One that names none does not.
func (d *Directives) qualified(flag *bool, value string) {
	var fields []string
	for field := range elements(unquote(value)) {
		if !IsFieldName(field) {
			*flag = true
			return
		}
		fields = append(fields, http.CanonicalHeaderKey(field))
	}
	d.Omit = append(d.Omit, fields...)
	*flag = *flag || len(fields) == 0
}

func setFirst(s *Seconds, value Seconds) {
	if *s == Absent {
		*s = value
	}
}

// freshness reads delta-seconds; what cannot be read is zero, so that the
// response counts as stale.
func freshness(value string) Seconds {
	n, ok := parseSeconds(unquote(value))
	if !ok {
		return 0
	}
	return n
}

// maxStale without an argument accepts a response of any staleness (RFC 9111,
// section 5.2.1.2).
func maxStale(value string, hasValue bool) Seconds {
	if !hasValue {
		return maxSeconds
	}
	return freshness(value)
}

// parseSeconds reads digits and nothing else; values that are too large count
// as the largest.
func parseSeconds(s string) (Seconds, bool) {
	if s == "" {
		return 0, false
	}
	var n Seconds
	for i := range len(s) {
		c := s[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		if n < maxSeconds {
			n = n*10 + Seconds(c-'0')
		}
	}
	return min(n, maxSeconds), true
}
