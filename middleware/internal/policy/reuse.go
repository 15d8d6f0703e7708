package policy

import "time"

// Use is what may be done with a stored response for a request.
type Use int

const (
	// Fresh: send it.
	Fresh Use = iota
	// Revalidate: send it and have it validated meanwhile (RFC 5861).
	Revalidate
	// Validate: ask the handler first.
	Validate
)

// Judge decides on the use of a stored response of the given age (RFC 9111,
// section 4.2.4).
func Judge(t Terms, age time.Duration, request Directives) Use {
	if request.NoCache || t.NoCache || tooOld(age, request) {
		return Validate
	}
	remaining := t.Lifetime - age
	if request.MinFresh != Absent {
		if remaining < request.MinFresh.duration() {
			return Validate
		}
		return Fresh
	}
	switch {
	case remaining > 0:
		return Fresh
	case -remaining < t.StaleWhileRevalidate && !refusesStale(request):
		return Revalidate
	case request.MaxStale != Absent && !t.NoStale && -remaining <= request.MaxStale.duration():
		return Fresh
	default:
		return Validate
	}
}

// refusesStale reports whether the client does not wish a stale response, even if the site
// does: it says how old one may be, and not how stale (RFC 9111, section 5.2.1.1). When
// asking the handler fails, a stale one is better than none.
func refusesStale(request Directives) bool {
	return request.MaxAge != Absent && request.MaxStale == Absent
}

// tooOld treats max-age=0 as the demand for validation that browsers mean by it.
func tooOld(age time.Duration, request Directives) bool {
	return request.MaxAge == 0 || request.MaxAge != Absent && age > request.MaxAge.duration()
}

// Failure is how asking the handler went wrong.
type Failure int

const (
	// NoFailure: the handler answered.
	NoFailure Failure = iota
	// ErrorStatus: it answered with a status that stale-if-error covers.
	ErrorStatus
	// Unreachable: it panicked, or a gateway behind it could not be reached.
	Unreachable
)

// FailureOf returns the failure that a status stands for (RFC 5861, section 4).
func FailureOf(status int) Failure {
	switch status {
	case 502, 504:
		return Unreachable
	case 500, 503:
		return ErrorStatus
	default:
		return NoFailure
	}
}

// ServeOnFailure reports whether a stale response may be sent instead of a
// failure.
func ServeOnFailure(t Terms, age time.Duration, request Directives, f Failure, ifUnreachable bool) bool {
	if f == NoFailure || t.NoCache || request.NoCache || tooOld(age, request) {
		return false
	}
	if age-t.Lifetime < t.StaleIfError {
		return true
	}
	return ifUnreachable && f == Unreachable && !t.NoStale
}
