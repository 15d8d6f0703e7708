package middleware

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The Cache-Status field (RFC 9211) of this cache begins with its name.
const (
	statusField = "Cache-Status"
	cacheName   = "bmemcached"
)

// forward is why a request went to the handler (RFC 9211, section 2.2).
type forward string

const (
	fwdBypass  forward = "bypass"
	fwdMethod  forward = "method"
	fwdURIMiss forward = "uri-miss"
	fwdVary    forward = "vary-miss"
	fwdRequest forward = "request"
	fwdStale   forward = "stale"
	fwdPartial forward = "partial"
)

// appendHit says that a stored response was sent, and how long it stays fresh.
func appendHit(b []byte, ttl time.Duration, detail string) []byte {
	b = append(b, cacheName+"; hit; ttl="...)
	b = strconv.AppendInt(b, int64(ttl/time.Second), 10)
	if detail != "" {
		b = append(append(b, "; detail="...), detail...)
	}
	return b
}

// forwardStatus describes a request that went to a handler.
type forwardStatus struct {
	why       forward
	status    int // of the handler, if it is not the response's
	stored    bool
	collapsed bool
	detail    string // a token
}

func (s forwardStatus) String() string {
	var b strings.Builder
	b.WriteString(cacheName + "; fwd=" + string(s.why))
	if s.status != 0 {
		b.WriteString("; fwd-status=" + strconv.Itoa(s.status))
	}
	if s.stored {
		b.WriteString("; stored")
	}
	if s.collapsed {
		b.WriteString("; collapsed")
	}
	if s.detail != "" {
		b.WriteString("; detail=" + strings.ReplaceAll(s.detail, " ", "-"))
	}
	return b.String()
}

// addStatus appends to the field: caches nearer the origin come first.
func addStatus(h http.Header, status string) {
	h[statusField] = append(h[statusField], status)
}
