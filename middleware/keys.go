package middleware

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"net/http"
	"net/url"
	"strings"
	"sync"

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
	letterReload  = 'q' // of flights only, see reload.go
	letterChunk   = 'c'
	letterTag     = 't'
	letterPurges  = 'n'
)

// keyspace makes keys that begin with a prefix. With secrets, nobody who does not know
// them can tell which key is whose.
type keyspace struct {
	prefix string
	macs   []*macPool // of Options.SealKeys; the first makes the keys that are used
}

// macPool has MACs under one secret: a hit needs one, and it is half the work to use
// one again.
type macPool struct{ sync.Pool }

func newMACPool(secret []byte) *macPool {
	return &macPool{sync.Pool{New: func() any { return hmac.New(sha256.New, secret) }}}
}

func (p *macPool) digest(b []byte) (sum [sha256.Size]byte) {
	mac := p.Get().(hash.Hash)
	mac.Reset()
	mac.Write(b)
	mac.Sum(sum[:0])
	p.Put(mac)
	return sum
}

// of returns the key for full.
func (k keyspace) of(letter byte, full []byte) string { return k.name(letter, k.digest(0, full)) }

// all returns the keys for full under each of the keys.
func (k keyspace) all(letter byte, full []byte) []string {
	names := []string{k.of(letter, full)}
	for i := 1; i < len(k.macs); i++ {
		names = append(names, k.name(letter, k.digest(i, full)))
	}
	return names
}

func (k keyspace) digest(mac int, full []byte) [sha256.Size]byte {
	if len(k.macs) == 0 {
		return sha256.Sum256(full)
	}
	return k.macs[mac].digest(full)
}

func (k keyspace) name(letter byte, sum [sha256.Size]byte) string {
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

// page is what tells pages apart.
type page struct {
	origin
	host   string // see plainHost
	mount  string // see mountOf
	path   string
	query  string // as Options.Key leaves it
	custom string // what Options.Key returns
}

// pageOf returns the page of r, or false if Options.Key declines r.
func (c *Cache) pageOf(r *http.Request) (page, bool) {
	p := page{
		origin: originOf(r), mount: mountOf(r), path: pathOf(r.URL), query: r.URL.RawQuery,
	}
	p.host = plainHost(r.Host, p.origin)
	if c.opts.Key == nil {
		return p, true
	}
	shown := *r
	url := *r.URL
	shown.URL = &url
	ok := false
	p.custom, ok = c.opts.Key(&shown)
	p.query = url.RawQuery
	return p, ok
}

// append appends the full key: method class, and each part preceded by its length, so
// that no two pages run together.
func (p *page) append(dst []byte) []byte {
	secure := byte('0')
	if p.tls {
		secure = '1'
	}
	dst = append(dst, 'G', secure) // GET and HEAD
	for _, part := range [...]string{p.proto, p.host, p.mount, p.path, p.query, p.custom} {
		dst = stored.AppendFramed(dst, part)
	}
	return dst
}

// plainHost returns host as it is in the key, and as the handler sees it: with its
// letters in lower case, and without the port that its scheme implies (RFC 9110,
// section 4.2.3). It leaves alone one with bytes that no name of a host has: two of
// those may be the same in lower case.
func plainHost(host string, o origin) string {
	for i := range len(host) {
		if host[i] >= 0x80 {
			return host
		}
	}
	host = strings.ToLower(host)
	if bare := strings.TrimSuffix(host, o.port()); bare != "" {
		return bare
	}
	return host
}

// port is the port that the scheme implies.
func (o origin) port() string {
	if o.proto == "https" || o.proto == "" && o.tls {
		return ":443"
	}
	return ":80"
}

// mountOf returns what layers above the cache have taken from the path, as
// http.StripPrefix does: "/a" where the client asked for /a/b and the path is /b. Two
// mounts of one router are two sets of pages. Where the path is no part of what the
// client asked for, the mount is all of that.
func mountOf(r *http.Request) string {
	target, path := r.RequestURI, r.URL.EscapedPath()
	if rest, ok := strings.CutPrefix(target, path); ok && (rest == "" || rest[0] == '?') || target == "" {
		return ""
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return "\x00" + target
	}
	if mount, ok := strings.CutSuffix(u.EscapedPath(), path); ok {
		return mount
	}
	return "\x00" + u.EscapedPath()
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
	return appendVariantBy(policy.VaryValue, dst, ix, h)
}

// appendVariantBy is appendVariant with another form of the values.
func appendVariantBy(form func(http.Header, string) (string, bool), dst []byte, ix *stored.Index, h http.Header) []byte {
	dst = stored.AppendFramed(dst, "vary")
	for shift := 0; shift < 64; shift += 8 {
		dst = append(dst, byte(ix.Base>>shift))
	}
	for _, name := range ix.Fields {
		dst = stored.AppendFramed(dst, name)
		if value, ok := form(h, name); ok {
			dst = stored.AppendFramed(append(dst, 1), value)
		} else {
			dst = append(dst, 0)
		}
	}
	return dst
}
