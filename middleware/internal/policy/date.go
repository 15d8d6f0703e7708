package policy

import (
	"strings"
	"time"
)

// ParseDate reads an HTTP-date in one of its three forms (RFC 9110, section
// 5.6.7). It is strict about everything but case: time.Parse accepts repeated
// spaces and one-digit hours, and a date that is not one must count as expired.
// Two-digit years are taken to be at most 50 years after now.
func ParseDate(s string, now time.Time) (time.Time, bool) {
	switch {
	case len(s) == 29 && s[3] == ',':
		return parseIMF(s)
	case len(s) == 24 && s[3] == ' ':
		return parseAsctime(s)
	default:
		return parseRFC850(s, now)
	}
}

const (
	days   = "sun,mon,tue,wed,thu,fri,sat"
	months = "jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec"
)

// parseIMF reads "Sun, 06 Nov 1994 08:49:37 GMT".
func parseIMF(s string) (time.Time, bool) {
	if !matches(s, "..., ## ... #### ##:##:## gmt") || name(s[:3], days) == 0 {
		return time.Time{}, false
	}
	return date(num(s[12:16]), name(s[8:11], months), num(s[5:7]), s[17:25])
}

// parseAsctime reads "Sun Nov  6 08:49:37 1994".
func parseAsctime(s string) (time.Time, bool) {
	if !matches(s, "... ... .# ##:##:## ####") || name(s[:3], days) == 0 {
		return time.Time{}, false
	}
	day := s[8:10]
	if day[0] == ' ' {
		day = day[1:]
	} else if !digit(day[0]) {
		return time.Time{}, false
	}
	return date(num(s[20:24]), name(s[4:7], months), num(day), s[11:19])
}

// parseRFC850 reads "Sunday, 06-Nov-94 08:49:37 GMT".
func parseRFC850(s string, now time.Time) (time.Time, bool) {
	day, rest, ok := strings.Cut(s, ", ")
	if !ok || !matches(rest, "##-...-## ##:##:## gmt") || !longDay(day) {
		return time.Time{}, false
	}
	year := now.Year()/100*100 + num(rest[7:9])
	if year > now.Year()+50 {
		year -= 100
	}
	return date(year, name(rest[3:6], months), num(rest[:2]), rest[10:18])
}

func longDay(s string) bool {
	return len(s) >= 6 && strings.HasSuffix(strings.ToLower(s), "day") && name(s[:3], days) > 0
}

func date(year, month, day int, clock string) (time.Time, bool) {
	hour, minute, second := num(clock[:2]), num(clock[3:5]), num(clock[6:8])
	if month == 0 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	return t, t.Day() == day || second == 60
}

// matches compares s with a pattern: # is a digit, a dot any byte, a letter
// itself in either case, the rest itself.
func matches(s, pattern string) bool {
	if len(s) != len(pattern) {
		return false
	}
	for i := range len(s) {
		switch c := pattern[i]; {
		case c == '.', c == '#' && digit(s[i]), c != '#' && c == s[i]:
		case c >= 'a' && c <= 'z' && c == s[i]|0x20:
		default:
			return false
		}
	}
	return true
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func num(s string) int {
	n := 0
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	return n
}

// name returns the one-based position of a three-letter name in a list, or 0.
func name(s, list string) int {
	for i := 0; i+3 <= len(list); i += 4 {
		if strings.EqualFold(s, list[i:i+3]) {
			return i/4 + 1
		}
	}
	return 0
}
