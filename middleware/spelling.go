package middleware

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// spelling is one way to write the path and the query of a URL. Each is a page of its
// own for the cache, because handlers may repeat what they were asked for.
type spelling struct{ path, query string }

// spellings returns how clients may write the URL u with this query, of which whoever
// purges it has one: as it is, with what must be escaped escaped, and nothing else, with
// escapes in capital or in small letters, and with nothing escaped.
func spellings(u *url.URL, query string) []spelling {
	all := []spelling{{pathOf(u), query}}
	add := func(s spelling) {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	plain := (&url.URL{Path: u.Path}).EscapedPath()
	for _, path := range []string{u.EscapedPath(), plain} {
		escaped := spelling{path, escapedQuery(query)}
		add(escaped)
		add(escaped.inCase(strings.ToUpper))
		add(escaped.inCase(strings.ToLower))
	}
	if plain != u.Path {
		add(spelling{plain + "\x00" + u.Path, query}) // see pathOf
	}
	return all
}

// inCase returns s with the digits of its escapes in one case.
func (s spelling) inCase(change func(string) string) spelling {
	return spelling{inCase(s.path, change), inCase(s.query, change)}
}

func inCase(s string, change func(string) string) string {
	parts := strings.Split(s, "%")
	for i, part := range parts[1:] {
		n := min(2, len(part))
		parts[i+1] = change(part[:n]) + part[n:]
	}
	return strings.Join(parts, "%")
}

// escapedQuery returns a query as browsers send it: bytes that are not ASCII, and
// spaces, are escaped.
func escapedQuery(query string) string {
	var b strings.Builder
	for i := range len(query) {
		if c := query[i]; c <= ' ' || c >= 0x7f {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
