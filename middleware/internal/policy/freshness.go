package policy

import (
	"net/http"
	"strings"
	"time"
)

// heuristicCap limits the freshness that is guessed from Last-Modified.
const heuristicCap = 24 * time.Hour

// Freshness is how old a response was when it was received and how old it may
// become (RFC 9111, section 4.2).
type Freshness struct {
	// Age is the corrected initial age.
	Age time.Duration
	// Lifetime is how long the response is fresh, counted from its generation.
	Lifetime time.Duration
	// Explicit says that the response stated its lifetime.
	Explicit bool
}

// freshnessOf computes age and lifetime of a response. heuristic says that the
// status or a directive permits a lifetime the response does not state.
func freshnessOf(r *Response, d Directives, targeted, heuristic bool, ttl time.Duration) Freshness {
	date, dated := dateOf(r)
	f := Freshness{Age: initialAge(r, date, dated)}
	expires, hasExpires := r.Header["Expires"]
	switch {
	case d.SMaxAge != Absent:
		f.Lifetime, f.Explicit = d.SMaxAge.duration(), true
	case d.MaxAge != Absent:
		f.Lifetime, f.Explicit = d.MaxAge.duration(), true
	case hasExpires && !targeted:
		f.Lifetime, f.Explicit = untilExpiry(expires[0], date, r.Received), true
	case heuristic && ttl > 0:
		f.Lifetime = ttl
	case heuristic:
		f.Lifetime = guess(r, date)
	}
	f.Age, f.Lifetime = atMost(f.Age), atMost(f.Lifetime)
	return f
}

func (s Seconds) duration() time.Duration { return time.Duration(s) * time.Second }

// atMost bounds a duration as delta-seconds are bounded, so that sums of a few do
// not overflow: a date of year 9999 is as far away as a time.Duration reaches.
func atMost(d time.Duration) time.Duration { return min(d, maxSeconds.duration()) }

// dateOf returns when the response was generated: its Date, or when it was
// received.
func dateOf(r *Response) (date time.Time, stated bool) {
	if lines := r.Header["Date"]; len(lines) > 0 {
		if t, ok := ParseDate(lines[0], r.Received); ok {
			return t, true
		}
	}
	return r.Received, false
}

// initialAge is RFC 9111, section 4.2.3. The delay between request and response
// counts only when the response states where it comes from: one that a handler
// just made is new, however long that took.
func initialAge(r *Response, date time.Time, dated bool) time.Duration {
	age, aged := parseAge(r.Header["Age"])
	if !dated && !aged {
		return 0
	}
	// Date has whole seconds; less than one is no evidence of age.
	apparent := r.Received.Truncate(time.Second).Sub(date)
	return max(0, apparent, age+r.Received.Sub(r.Requested))
}

// parseAge uses the first value and ignores one that is no number (RFC 9111,
// section 5.1). Parameters, which Age does not have, do not make it younger.
func parseAge(lines []string) (time.Duration, bool) {
	for _, line := range lines {
		for element := range elements(line) {
			number, _, _ := strings.Cut(element, ";")
			n, ok := parseSeconds(number)
			return max(0, n).duration(), ok
		}
	}
	return 0, false
}

// untilExpiry is Expires minus Date; a date that cannot be read lies in the past
// (RFC 9111, section 5.3).
func untilExpiry(expires string, date, now time.Time) time.Duration {
	t, ok := ParseDate(expires, now)
	if !ok {
		return 0
	}
	return max(0, t.Sub(date.Truncate(time.Second)))
}

// guess is a tenth of the time since the last modification (RFC 9111, section
// 4.2.2).
func guess(r *Response, date time.Time) time.Duration {
	lines := r.Header["Last-Modified"]
	if len(lines) == 0 {
		return 0
	}
	modified, ok := ParseDate(lines[0], r.Received)
	if !ok || modified.After(date) {
		return 0
	}
	return min(date.Sub(modified)/10, heuristicCap)
}

// heuristicStatus reports whether a response with this status may be given a
// lifetime that it does not state (RFC 9110, section 15.1). 206 is left out: a
// part is never stored as the whole.
func heuristicStatus(status int) bool {
	switch status {
	case http.StatusOK, http.StatusNonAuthoritativeInfo, http.StatusNoContent,
		http.StatusMultipleChoices, http.StatusMovedPermanently, http.StatusPermanentRedirect,
		http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone,
		http.StatusRequestURITooLong, http.StatusNotImplemented:
		return true
	}
	return false
}

// understood reports whether this cache knows the caching requirements of a
// status, as must-understand asks (RFC 9111, section 5.2.2.3).
func understood(status int) bool {
	switch status {
	case http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect,
		http.StatusBadRequest, http.StatusForbidden, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return heuristicStatus(status)
}
