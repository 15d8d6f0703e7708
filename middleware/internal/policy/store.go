package policy

import (
	"net/http"
	"strings"
	"time"
)

// Response is a response as the cache received it from the handler.
type Response struct {
	Status int
	Header http.Header
	// Requested and Received are when the handler was called and when it sent
	// its header.
	Requested, Received time.Time
	// Authorized says that the request had credentials: Authorization, or a field that
	// the cache takes for the same.
	Authorized bool
	// Choose returns the lifetime for a response that has the stated one. nil: that.
	Choose func(stated time.Duration) time.Duration
}

// Config is what the operator chose.
type Config struct {
	TTL                  time.Duration
	StaleWhileRevalidate time.Duration
	StaleIfError         time.Duration
	StaleIfUnreachable   bool
	StoreSetCookie       bool
	Targeted             []string
}

// Terms are the conditions under which a stored response may be used.
type Terms struct {
	Freshness
	StaleWhileRevalidate, StaleIfError time.Duration
	// NoCache asks for validation before every use.
	NoCache bool
	// NoStale forbids use after the lifetime, whatever the circumstances.
	NoStale bool
	// AllowAuthorized permits use for requests with credentials.
	AllowAuthorized bool
	// Validators says that the handler can be asked whether the response is
	// still good.
	Validators bool
}

// Verdict says what may be done with a response.
type Verdict struct {
	Terms
	// Store says that the response may be stored; if not, Reason says why.
	Store  bool
	Reason string
	// Publish says that requests which waited for the response may have it.
	Publish bool
	// Keep is how long storing it makes sense.
	Keep time.Duration
	// Omit names the fields that must not be stored.
	Omit []string
}

// Evaluate decides whether a response to a GET may be stored and on which terms
// it may be used (RFC 9111, section 3).
func Evaluate(r *Response, c *Config) Verdict {
	d, targeted := responseDirectives(r.Header, c.Targeted)
	if reason := refusal(r, d, c); reason != "" {
		return Verdict{Reason: reason}
	}
	v := Verdict{Omit: d.Omit}
	v.Terms = terms(r, d, targeted, c)
	if r.Choose != nil && !v.choose(r) {
		return Verdict{Reason: "lifetime"}
	}
	if !v.Explicit && v.Lifetime <= 0 && !d.NoCache {
		return Verdict{Reason: "no freshness"}
	}
	if v.Keep = Keep(v.Terms, c); v.Keep < KeepShortest {
		return Verdict{Reason: "already stale"}
	}
	v.Store = true
	v.Publish = !v.NoCache && v.Lifetime > v.Age
	return v
}

// choose has the operator choose the lifetime, or forbid to store the response.
func (v *Verdict) choose(r *Response) bool {
	chosen := r.Choose(v.Lifetime)
	switch {
	case chosen < 0:
		return false
	case v.Explicit || r.Status >= http.StatusInternalServerError:
		v.Lifetime = min(v.Lifetime, chosen)
	default:
		v.Lifetime = atMost(chosen)
	}
	return true
}

// responseDirectives returns the directives that apply to this cache: those of
// the first targeted field that is present and valid, or of Cache-Control (RFC
// 9213, section 2.2).
func responseDirectives(h http.Header, fields []string) (d Directives, targeted bool) {
	for _, field := range fields {
		if lines := h[http.CanonicalHeaderKey(field)]; len(lines) > 0 {
			if d, ok := ParseTargeted(lines); ok {
				return d, true
			}
		}
	}
	return ParseCacheControl(h["Cache-Control"]), false
}

// Forbids reports whether a header says that nobody but the visitor may have the
// response.
func Forbids(h http.Header, targeted []string) bool {
	d, _ := responseDirectives(h, targeted)
	return d.Private || d.NoStore && !d.MustUnderstand
}

// refusal returns why a response must not be stored, or "".
func refusal(r *Response, d Directives, c *Config) string {
	switch {
	case r.Status < 200 || r.Status == http.StatusPartialContent || r.Status == http.StatusNotModified:
		return "status"
	case d.MustUnderstand && !understood(r.Status):
		return "must-understand"
	case d.NoStore && !d.MustUnderstand:
		return "no-store"
	case d.Private:
		return "private"
	case r.Authorized && !allowsAuthorized(d):
		return "authorization"
	case hasCookie(r.Header) && !c.StoreSetCookie:
		return "set-cookie"
	case variesOnEverything(r.Header):
		return "vary"
	case hasTrailer(r.Header):
		return "trailer"
	case isEventStream(r.Header):
		return "stream"
	default:
		return ""
	}
}

// allowsAuthorized is RFC 9111, section 3.5.
func allowsAuthorized(d Directives) bool {
	return d.Public || d.MustRevalidate || d.SMaxAge != Absent
}

func hasCookie(h http.Header) bool {
	return len(h["Set-Cookie"]) > 0 || len(h["Set-Cookie2"]) > 0
}

func variesOnEverything(h http.Header) bool {
	for _, line := range h["Vary"] {
		for field := range elements(line) {
			if field == "*" {
				return true
			}
		}
	}
	return false
}

func hasTrailer(h http.Header) bool {
	if len(h["Trailer"]) > 0 {
		return true
	}
	for name := range h {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			return true
		}
	}
	return false
}

func isEventStream(h http.Header) bool {
	lines := h["Content-Type"]
	if len(lines) == 0 {
		return false
	}
	mediaType, _, _ := strings.Cut(lines[0], ";")
	return strings.EqualFold(trim(mediaType), "text/event-stream")
}

func terms(r *Response, d Directives, targeted bool, c *Config) Terms {
	heuristic := heuristicStatus(r.Status) || d.Public
	t := Terms{
		Freshness:       freshnessOf(r, d, targeted, heuristic, c.TTL),
		NoCache:         d.NoCache,
		NoStale:         d.NoCache || d.MustRevalidate || d.ProxyRevalidate || d.SMaxAge != Absent,
		AllowAuthorized: allowsAuthorized(d),
		Validators:      len(r.Header["Etag"]) > 0 || len(r.Header["Last-Modified"]) > 0,
	}
	forbidden := d.NoCache || d.MustRevalidate || d.ProxyRevalidate
	t.StaleWhileRevalidate = window(d.StaleWhileRevalidate, c.StaleWhileRevalidate, forbidden, t.NoStale)
	t.StaleIfError = window(d.StaleIfError, c.StaleIfError, forbidden, t.NoStale)
	return t
}

// window is how long past its lifetime a response may be used: what it says
// itself, else what the operator chose. s-maxage rules out the operator's choice
// but not the response's own word, which is the more specific.
func window(stated Seconds, chosen time.Duration, forbidden, noStale bool) time.Duration {
	switch {
	case forbidden:
		return 0
	case stated != Absent:
		return stated.duration()
	case noStale:
		return 0
	default:
		return atMost(chosen)
	}
}

const (
	// KeepShortest is the shortest stay that is worth a write; the client refuses
	// shorter ones, as durations without a unit.
	KeepShortest = time.Millisecond
	// keepLongest bounds every stay in the cache.
	keepLongest = 365 * 24 * time.Hour
	// keepForValidation is how long a stale response that can be validated, or
	// served while the handler is unreachable, is kept.
	keepForValidation = 24 * time.Hour
	// keepForMaxStale is how long any other stale response is kept for requests
	// that accept one.
	keepForMaxStale = time.Minute
)

// Keep returns how long it makes sense to store a response with these terms.
func Keep(t Terms, c *Config) time.Duration {
	fresh := max(0, t.Lifetime-t.Age)
	if t.NoCache {
		fresh = 0
	}
	stale := max(t.StaleWhileRevalidate, t.StaleIfError) - max(0, t.Age-t.Lifetime)
	if t.Validators || c.StaleIfUnreachable && !t.NoStale {
		stale = max(stale, keepForValidation)
	}
	if !t.NoStale {
		stale = max(stale, keepForMaxStale)
	}
	return min(fresh+max(0, stale), keepLongest)
}
