package session_test

import "time"

// The timeouts of the model, as the package documentation has them.

// rules are how a store is configured.
type rules struct {
	idle, absolute time.Duration // 0: not chosen
	maxAge         time.Duration // of its cookies; 0: until the browser closes
}

// A lifetime is what a session's timeouts depend on.
type lifetime struct {
	made      time.Time
	used      time.Time     // loaded or saved last
	age       time.Duration // of its cookie
	cookieEnd time.Time     // zero: when the browser closes
	until     time.Time     // that Remember set
}

// timeout is how long the session lives without a request.
func (r *rules) timeout(l *lifetime) time.Duration {
	switch {
	case !l.until.IsZero():
		return l.age
	case r.idle != 0:
		return r.idle
	default:
		return max(20*time.Minute, l.age)
	}
}

// absoluteEnd is when it ends, however active it is and whatever its cookie says.
func (r *rules) absoluteEnd(l *lifetime) time.Time {
	switch {
	case !l.until.IsZero():
		return l.until
	case r.absolute != 0:
		return l.made.Add(r.absolute)
	default:
		return l.made.Add(max(12*time.Hour, l.age))
	}
}

// end is when it ends, however active it is.
func (r *rules) end(l *lifetime) time.Time {
	end := r.absoluteEnd(l)
	if !l.cookieEnd.IsZero() && l.cookieEnd.Before(end) {
		return l.cookieEnd
	}
	return end
}

func (r *rules) over(l *lifetime) bool {
	return !time.Now().Before(r.end(l)) || !time.Now().Before(l.used.Add(r.timeout(l)))
}

// rolls reports whether a save that changes nothing sends the cookie anew.
func (r *rules) rolls(l *lifetime) bool {
	return l.age > 0 && l.until.IsZero() && time.Until(l.cookieEnd) < l.age/4*3 && l.cookieEnd.Before(r.absoluteEnd(l))
}

// save is what a save that writes does to a lifetime.
func (r *rules) save(l *lifetime, remember time.Duration) {
	l.used = time.Now()
	switch {
	case remember > 0:
		l.age, l.until = remember, time.Now().Add(remember)
		l.cookieEnd = l.until
	case r.maxAge > 0 && l.until.IsZero():
		l.age, l.cookieEnd = r.maxAge, time.Now().Add(r.maxAge)
	}
}
