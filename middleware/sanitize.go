package middleware

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// unkeyedFields are request fields that commonly decide what a handler answers but
// are not part of the key. Whoever can set them could poison the cache. No such list is
// complete: see Options.RequestFields.
var unkeyedFields = []string{
	"Forwarded", "X-Forwarded-Host", "X-Forwarded-Server", "X-Forwarded-Port",
	"X-Forwarded-Prefix", "X-Forwarded-Path", "X-Forwarded-Uri", "X-Forwarded-Url", "X-Forwarded-Base-Url",
	"X-Forwarded-Scheme", "X-Forwarded-Protocol", "X-Forwarded-Ssl", "X-Forwarded-Method",
	"X-Forwarded-Context", "X-Forwarded-Basepath", "X-Forwarded-By", "X-Forwarded-Http-Version",
	"X-Scheme", "X-Url-Scheme", "X-Proto", "X-Ssl", "X-Https", "Front-End-Https",
	"X-Host", "X-Forwarded-Hosts", "X-Proxy-Host", "X-Original-Host", "X-Http-Host-Override", "X-Real-Host", "X-Backend-Host", "X-Server-Name",
	"X-Original-Url", "X-Original-Uri", "X-Original-Path", "X-Original-Method", "X-Original-Prefix",
	"X-Rewrite-Url", "X-Rewrite-Uri", "X-Override-Url", "X-Request-Uri", "X-Request-Url", "X-Waws-Unencoded-Url",
	"X-Envoy-Original-Path", "X-Envoy-Original-Host", "X-Envoy-Original-Method", "X-Envoy-Decorator-Operation",
	"X-Replaced-Path", "X-Ms-Original-Url", "X-Script-Name", "Script-Name", "X-Base-Path", "X-Base-Url",
	"X-Ingress-Path", "X-Context-Path", "X-Path-Prefix", "X-Mount-Path", "X-Traefik-Prefix",
	"Cloudfront-Forwarded-Proto", "Cf-Visitor", "Fly-Forwarded-Proto", "Fly-Forwarded-Port", "Fly-Forwarded-Ssl",
	"X-Appengine-Https", "X-Arr-Ssl", "X-Client-Scheme",
	"X-Http-Method", "X-Http-Method-Override", "X-Method-Override", "X-Method",
	"X-Middleware-Subrequest", "X-Middleware-Prefetch", "X-Nextjs-Data", "X-Now-Route-Matches", "X-Invoke-Path",
	"X-Invoke-Status", "X-Invoke-Query", "X-Matched-Path", "Destination", "Base-Url", "Request-Uri",
}

// cacheFields are the request fields that handlers see whatever Options.RequestFields
// says: the cache has looked at them, or they are in the key.
var cacheFields = map[string]bool{
	"X-Forwarded-Proto": true, "Connection": true, "Range": true, "If-Range": true,
	"If-None-Match": true, "If-Modified-Since": true, "Cache-Control": true, "Pragma": true,
	"Authorization": true, "Proxy-Authorization": true, "X-Api-Key": true,
}

// visible returns what the handler sees of the header of a request whose response
// varies on the fields of ix: as it is in the key.
func (c *Cache) visible(h http.Header, ix *stored.Index) http.Header {
	h = sanitize(h, ix)
	if c.shown == nil {
		return h
	}
	shown := make(http.Header, len(h))
	for name, lines := range h {
		if c.shown[name] || cacheFields[name] || ix.Has(name) {
			shown[name] = lines
		}
	}
	return shown
}

// oneLine makes one line of each field of h, which must be the caller's own: in that
// form its values are in the key. Handlers look at the first line.
func oneLine(h http.Header) {
	for name, lines := range h {
		if len(lines) < 2 {
			continue
		}
		h[name] = []string{policy.Combine(name, lines)}
	}
}

// sanitize returns h without unkeyedFields, except those that the response is
// known to vary on, and with X-Forwarded-Proto as it is in the key. It copies h
// if it changes anything.
func sanitize(h http.Header, ix *stored.Index) http.Header {
	copied := false
	remove := func(name string) {
		if !copied {
			h, copied = h.Clone(), true
		}
		delete(h, name)
	}
	for _, name := range unkeyedFields {
		if _, ok := h[name]; ok && !ix.Has(name) {
			remove(name)
		}
	}
	if lines, ok := h["X-Forwarded-Proto"]; ok {
		if proto := forwardedProto(h); len(lines) != 1 || lines[0] != proto {
			remove("X-Forwarded-Proto")
			if proto != "" {
				h["X-Forwarded-Proto"] = []string{proto}
			}
		}
	}
	return h
}

// plainChoices returns h with Accept-Encoding and Accept-Language in the form by
// which variants are told apart. A handler that looks for the name of a coding
// only, and overlooks that it is refused, or takes the first language that it
// knows, would otherwise make a response that is wrong for others.
func plainChoices(h http.Header) http.Header {
	h = plain(h, "Accept-Encoding", policy.AcceptEncoding)
	return plain(h, "Accept-Language", policy.AcceptLanguage)
}

func plain(h http.Header, name string, form func([]string) string) http.Header {
	lines, ok := h[name]
	if !ok {
		return h
	}
	value := form(lines)
	if len(lines) == 1 && lines[0] == value {
		return h
	}
	h = h.Clone()
	h[name] = []string{value}
	return h
}

// originForm rewrites the URL of r, which must be the caller's own, to what is in
// the key. A client may also send a whole URL (RFC 9112, section 3.2.2), of which
// the server has taken the host; scheme and user are whatever it likes.
func originForm(r *http.Request) *http.Request {
	u := r.URL
	if u.Scheme == "" && u.Host == "" && u.User == nil && !u.ForceQuery {
		return r
	}
	r.URL = &url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}
	if r.RequestURI != "" {
		r.RequestURI = r.URL.RequestURI()
	}
	return r
}

// showQuery makes query that of r, which must be the caller's own with its URL: what
// Options.Key has removed, no handler sees, wherever it looks.
func showQuery(r *http.Request, query string) {
	if r.URL.RawQuery == query {
		return
	}
	r.URL.RawQuery = query
	r.Form, r.PostForm = nil, nil // parsed by somebody above
	if r.RequestURI != "" {
		path, _, _ := strings.Cut(r.RequestURI, "?")
		r.RequestURI = path
		if query != "" {
			r.RequestURI += "?" + query
		}
	}
}

// asksMore reports whether r shows, beside its URL, parameters that query does not have:
// a layer above has taken them from the URL, and they are not in the key.
func asksMore(r *http.Request, query string) bool {
	_, asked, _ := strings.Cut(r.RequestURI, "?")
	if r.Form == nil && (asked == query || asked == "") {
		return false
	}
	has := parametersOf(query)
	for parameter := range parametersOf(asked) {
		if !has[parameter] {
			return true
		}
	}
	for name, values := range r.Form {
		for _, value := range values {
			if !has[name+"="+value] {
				return true
			}
		}
	}
	return false
}

// parametersOf returns the parameters of a query, each as name=value, and as it is if it
// is malformed.
func parametersOf(query string) map[string]bool {
	parameters := map[string]bool{}
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		plain, err := url.QueryUnescape(name)
		plainValue, valueErr := url.QueryUnescape(value)
		switch {
		case part == "":
		case err != nil || valueErr != nil || strings.Contains(part, ";"):
			parameters[part] = true
		default:
			parameters[plain+"="+plainValue] = true
		}
	}
	return parameters
}
