package session

import (
	"fmt"
	"math"
	"time"

	"github.com/gorilla/sessions"
)

// margin is how much longer a record stays in memcached than until its end, which
// the record knows exactly. Memcached's clock has whole seconds, and can advance by
// two at once: without the margin, sessions would end early. Only memcached knows
// of an idle timeout when it ends a session, so that has no margin, unless it is no
// shorter than what the record knows.
const margin = 2 * time.Second

// maxLife is the longest lifetime in memcached.
const maxLife = math.MaxInt32 * time.Second

// lifetime is how long a record is valid: up to the idle timeout and to the
// session's end.
func lifetime(idle time.Duration, end time.Time) time.Duration {
	return min(idle, time.Until(end), maxLife)
}

// maxRemembered is how long browsers keep a cookie at most (RFC 6265bis).
const maxRemembered = 400 * 24 * time.Hour

// age is how long the cookie of a record is to be kept.
func (r *record) age() time.Duration { return time.Duration(min(r.maxAge, maxAge)) * time.Second }

// idle is how long a session lives without a request: what Remember said, the
// store's IdleTimeout where one was chosen, else the cookie's MaxAge where that
// is longer than the default.
func (s *Store) idle(r *record) time.Duration {
	switch {
	case !r.until.IsZero():
		return max(r.age(), time.Second) + margin
	case !s.idleChosen && r.age() > s.opts.IdleTimeout:
		return min(r.age(), maxRemembered) + margin
	default:
		return s.opts.IdleTimeout
	}
}

// over reports whether the session, as this request knows it, has ended by a timeout.
// Memcached may hold it for a while: what is in flight then must not bring it back.
func (st *state) over() bool {
	return st.record != nil && !time.Now().Before(st.Store.end(st.record))
}

// end is when a session ends however active it is.
func (s *Store) end(r *record) time.Time {
	end := s.absoluteEnd(r)
	if !r.cookieEnd.IsZero() && r.cookieEnd.Before(end) {
		return r.cookieEnd
	}
	return end
}

func (s *Store) absoluteEnd(r *record) time.Time {
	switch {
	case !r.until.IsZero():
		return r.until
	case s.absoluteChosen:
		return r.created.Add(s.opts.AbsoluteTimeout)
	default:
		return r.created.Add(max(s.opts.AbsoluteTimeout, r.age()))
	}
}

// idleOf is what the cookie says of a record's idle timeout.
func (s *Store) idleOf(r *record) uint32 {
	idle := s.idle(r)
	if idle == s.opts.IdleTimeout {
		return 0
	}
	return uint32(min(idle/time.Second, math.MaxInt32))
}

// rolls reports whether the browser's cookie is to be given its MaxAge anew: a
// quarter of it has passed, and the session can live longer than the cookie.
func (st *state) rolls(session *sessions.Session) bool {
	r := st.record
	return r != nil && r.maxAge > 0 && r.until.IsZero() && *session.Options == st.given &&
		time.Until(r.cookieEnd) < r.age()/4*3 && r.cookieEnd.Before(st.absoluteEnd(r))
}

// checkRemembered refuses lifetimes that cannot be meant.
func checkRemembered(life time.Duration) error {
	switch {
	case life > 0 && life < time.Millisecond:
		return fmt.Errorf("session: Remember: %v: durations have units, as in 60*time.Second", life)
	case life < time.Second || life > maxRemembered:
		return fmt.Errorf("session: Remember: %v: want 1 s to 400 days, which is as long as browsers keep a cookie", life)
	default:
		return nil
	}
}
