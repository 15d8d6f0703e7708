package middleware

import (
	"maps"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// credentials are the request fields that say who is asking (RFC 9111, section 3.5,
// about Authorization; the others serve the same end).
var credentials = []string{"Authorization", "Proxy-Authorization", "X-Api-Key"}

// authorized reports whether a request has credentials.
func authorized(h http.Header) bool {
	for _, name := range credentials {
		if len(h[name]) > 0 {
			return true
		}
	}
	return false
}

// personal reports whether a request carries something that the options name as
// personal, or its client has shown who it is by a certificate.
func (c *Cache) personal(r *http.Request) bool {
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 && !c.opts.IgnoreClientCertificates {
		return true
	}
	h := r.Header
	for _, name := range c.opts.PersonalFields {
		if len(h[name]) > 0 {
			return true
		}
	}
	if len(c.opts.PersonalCookies) == 0 {
		return false
	}
	for _, line := range h["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			if c.isPersonal(cookieName(pair)) {
				return true
			}
		}
	}
	return false
}

// setsCookie reports whether lines of Set-Cookie make a response one visitor's.
func (c *Cache) setsCookie(lines []string) bool {
	for _, line := range lines {
		pair, _, _ := strings.Cut(line, ";")
		if !c.opts.StoreSetCookie && !c.isNeutral(cookieName(pair)) {
			return true
		}
	}
	return false
}

// isVisitors reports whether a response field is for the visitor alone, also where the
// rest of the response is for all.
func (c *Cache) isVisitors(name string) bool { return name == "Set-Cookie" && !c.opts.StoreSetCookie }

// cookieName returns the name of a cookie. A pair without "=" is a name here, so that
// nothing is overlooked.
func cookieName(pair string) string {
	name, _, _ := strings.Cut(pair, "=")
	return strings.TrimSpace(name)
}

// maxPairs bounds the cookies of a request of which some are overlooked. Of more than
// 3,000 net/http shows the handler none, and of others it would then see them.
const maxPairs = 1000

func pairsIn(lines []string) (n int) {
	for _, line := range lines {
		n += 1 + strings.Count(line, ";")
	}
	return n
}

// selecting is visible without neutral cookies: they make no variants. Cookies are told
// apart as net/http does it for the handler, whose other space is part of a value.
func (c *Cache) selecting(h http.Header, ix *stored.Index) http.Header {
	h = c.visible(h, ix)
	lines := h["Cookie"]
	if len(c.opts.NeutralCookies) == 0 || len(lines) == 0 || pairsIn(lines) > maxPairs {
		return h
	}
	var others []string
	for _, line := range lines {
		for pair := range strings.SplitSeq(line, ";") {
			pair = textproto.TrimString(pair)
			name, _, _ := strings.Cut(pair, "=")
			if pair != "" && !c.isNeutral(textproto.TrimString(name)) {
				others = append(others, pair)
			}
		}
	}
	h = maps.Clone(h)
	delete(h, "Cookie")
	if len(others) > 0 {
		h["Cookie"] = []string{strings.Join(others, "; ")}
	}
	return h
}
