package session

import (
	"net"
	"net/http"
	"strings"
)

// warnOfPlainHTTP says once what browsers keep to themselves: they drop a cookie
// that is Secure, as all whose names begin with "__Host-" are, unless it came by
// HTTPS or from the machine that they run on.
func (st *state) warnOfPlainHTTP(r *http.Request, secure bool) {
	if !secure || cameByHTTPS(r) || isLoopback(r.Host) || st.warned.Swap(true) {
		return
	}
	st.log.slog().WarnContext(r.Context(),
		"session: a Secure cookie was set over plain HTTP, where browsers drop it; use HTTPS, or have the proxy that does set X-Forwarded-Proto",
		"cookie", st.name, "host", r.Host)
}

// cameByHTTPS reports whether the browser used HTTPS, as far as can be known.
// What a client claims here hides a warning and does nothing else.
func cameByHTTPS(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.URL.Scheme, "https") ||
		strings.Contains(strings.ToLower(r.Header.Get("X-Forwarded-Proto")), "https") ||
		strings.Contains(strings.ToLower(strings.Join(r.Header["Forwarded"], ",")), "proto=https")
}

// isLoopback reports whether browsers trust a host without HTTPS.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(strings.TrimSuffix(host, "."), "[]"))
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}
