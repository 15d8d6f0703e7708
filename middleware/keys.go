package middleware

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// Keys in memcached are Options.Prefix, one letter, and a digest of the full key. A
// value repeats its key, so that nothing else can pass for it. The full key, which
// has what the client sent, is in no value: queries and cookies can be secrets.
const (
	letterPage    = 'p' // entry, lock, note or index of a URL
	letterVariant = 'v' // entry, lock or note of one variant
	letterRefresh = 'r' // lock of whoever revalidates
	letterChunk   = 'c'
	letterTag     = 't'
	letterPurges  = 'n'
)

// keyspace makes keys that begin with a prefix.
type keyspace struct{ prefix string }

func (k keyspace) of(letter byte, full []byte) string {
	sum := sha256.Sum256(full)
	b := make([]byte, 0, 256)
	b = append(b, k.prefix...)
	b = append(b, letter)
	return string(base64.RawURLEncoding.AppendEncode(b, sum[:]))
}

// origin is the part of the key that the connection and the proxies before it
// decide. Handlers make links and redirects of it, so that two requests which
// differ in it must not get the same response.
type origin struct {
	tls   bool
	proto string // of X-Forwarded-Proto: "", "http" or "https"
}

// origins are all that exist: a purge visits each.
var origins = [...]origin{
	{false, ""},
	{false, "http"},
	{false, "https"},
	{true, ""},
	{true, "http"},
	{true, "https"},
}

func originOf(r *http.Request) origin {
	return origin{tls: r.TLS != nil, proto: forwardedProto(r.Header)}
}

// forwardedProto returns what the first proxy said, if it is a scheme.
func forwardedProto(h http.Header) string {
	lines := h["X-Forwarded-Proto"]
	if len(lines) == 0 {
		return ""
	}
	first, _, _ := strings.Cut(lines[0], ",")
	switch first = strings.TrimSpace(first); {
	case strings.EqualFold(first, "http"):
		return "http"
	case strings.EqualFold(first, "https"):
		return "https"
	default:
		return ""
	}
}

// appendKey appends the full key of a request: method class, scheme, host, and
// path with query or what Options.Key made of the request. Each part is preceded
// by its length, so that no two requests run together.
func appendKey(dst []byte, o origin, host, custom, path, query string) []byte {
	secure := byte('0')
	if o.tls {
		secure = '1'
	}
	dst = append(dst, 'G', secure) // GET and HEAD
	dst = stored.AppendFramed(dst, o.proto)
	dst = stored.AppendFramed(dst, lowerHost(host))
	if custom != "" {
		return stored.AppendFramed(append(dst, 'k'), custom)
	}
	dst = stored.AppendFramed(append(dst, 'u'), path)
	return stored.AppendFramed(dst, query)
}

// lowerHost returns host with its letters in lower case. It leaves alone one with
// bytes that no name of a host has: two of those may be the same in lower case.
func lowerHost(host string) string {
	for i := range len(host) {
		if host[i] >= 0x80 {
			return host
		}
	}
	return strings.ToLower(host)
}

// appendRequestKey is appendKey for r, or false if Options.Key declines r.
func (c *Cache) appendRequestKey(dst []byte, r *http.Request, o origin) ([]byte, bool) {
	if c.opts.Key == nil {
		return appendKey(dst, o, r.Host, "", pathOf(r.URL), r.URL.RawQuery), true
	}
	custom, ok := c.opts.Key(r)
	if !ok {
		return dst, false
	}
	return appendKey(dst, o, r.Host, "k"+custom, "", ""), true
}

// pathOf returns the path as it came, also where it should have been escaped and
// was not: a handler may repeat it, and a browser would not have sent it.
func pathOf(u *url.URL) string {
	path := u.EscapedPath()
	if u.RawPath != "" && u.RawPath != path {
		return path + "\x00" + u.RawPath
	}
	return path
}

// appendVariant appends what distinguishes the variants of a page: the index
// that lists the selecting fields, and the request's values of them. An absent
// field is not an empty one.
func appendVariant(dst []byte, ix *stored.Index, h http.Header) []byte {
	dst = stored.AppendFramed(dst, "vary")
	for shift := 0; shift < 64; shift += 8 {
		dst = append(dst, byte(ix.ID>>shift))
	}
	for _, name := range ix.Fields {
		dst = stored.AppendFramed(dst, name)
		if value, ok := policy.VaryValue(h, name); ok {
			dst = stored.AppendFramed(append(dst, 1), value)
		} else {
			dst = append(dst, 0)
		}
	}
	return dst
}
