package policy

import (
	"iter"
	"strings"
)

// elements yields the elements of a comma-separated list without the optional
// white space around them, skipping empty ones (RFC 9110, section 5.6.1). A
// comma inside a quoted string does not separate.
func elements(line string) iter.Seq[string] { return separated(line, ',') }

// separated is elements with another separator.
func separated(line string, by byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		for part := range parts(line, by) {
			if part = trim(part); part != "" && !yield(part) {
				return
			}
		}
	}
}

// parts yields what the separators of a line separate, as it is. A quote that nothing
// closes begins no string: what follows it must not be overlooked. Nor does any after it,
// so that the line is not read once for each of them.
func parts(line string, by byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		quotes := true
		for {
			end, open := partEnd(line, by, quotes)
			quotes = quotes && !open
			if !yield(line[:end]) || end == len(line) {
				return
			}
			line = line[end+1:]
		}
	}
}

// partEnd returns where the first part of a line ends, and whether it begins a quoted
// string that does not end.
func partEnd(line string, by byte, quotes bool) (end int, open bool) {
	first := -1 // separator in the string that is open
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case open && c == '\\':
			i++
		case c == '"' && quotes:
			open, first = !open, -1
		case c != by:
		case !open:
			return i, false
		case first < 0:
			first = i
		}
	}
	if first >= 0 {
		return first, true
	}
	return len(line), open
}

// trim removes optional white space, which is spaces and tabs only.
func trim(s string) string { return strings.Trim(s, " \t") }

// unquote returns the content of a quoted string, or s itself if it is none.
func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	s = s[1 : len(s)-1]
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// IsFieldName reports whether s can be the name of a header field (RFC 9110,
// section 5.1).
func IsFieldName(s string) bool {
	for i := range len(s) {
		if !tokenByte(s[i]) {
			return false
		}
	}
	return s != ""
}

// tokenEnd returns where the token ends with which s begins.
func tokenEnd(s string) int {
	for i := range len(s) {
		if !tokenByte(s[i]) {
			return i
		}
	}
	return len(s)
}

func tokenByte(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	default:
		return strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
	}
}
