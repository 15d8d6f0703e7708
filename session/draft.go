package session

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/gorilla/sessions"
)

// draft is what a save is about to write.
type draft struct {
	record
	tag     tag              // the user's, under the first key
	idle    uint32           // as the cookie says it
	send    bool             // the cookie has to be set
	options sessions.Options // with send: how
}

// draft is the record as this request has it, with merged for values.
func (st *state) draft(ctx context.Context, session *sessions.Session, merged values) (*draft, error) {
	d := &draft{record: record{created: now()}, options: *session.Options}
	if st.record != nil {
		d.record = *st.record
	}
	d.values = merged
	if st.bound {
		d.user, d.handle = st.user, st.place.handle
	} else if d.user != "" && st.sealed != 0 {
		if err := st.rebind(ctx, &d.record); err != nil {
			return nil, err
		}
	}
	if d.user != "" {
		d.tag = st.pairs[0].tagOf(d.user)
	}
	st.draftCookie(session, d)
	if d.user != "" {
		if err := st.reenter(ctx, d); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// draftCookie decides whether the browser's cookie has to be set. A cookie that
// is still right is not sent again: in a response that comes late it would take
// the place of a newer one.
func (st *state) draftCookie(session *sessions.Session, d *draft) {
	asGiven := d.options == st.given
	rolls := st.rolls(session)
	switch {
	case st.remember > 0:
		d.maxAge, d.until = int64(st.remember/time.Second), now().Add(st.remember)
		d.cookieEnd = d.until
	case !asGiven, d.options.MaxAge > 0 && d.until.IsZero():
		d.until, d.cookieEnd, d.maxAge = time.Time{}, time.Time{}, min(int64(d.options.MaxAge), maxAge)
		if d.maxAge > 0 {
			d.cookieEnd = now().Add(d.age())
		}
	case rolls:
		d.cookieEnd = now().Add(d.age())
	}
	d.idle = st.idleOf(&d.record)
	d.send = !st.issued || st.pair != 0 || d.tag != st.token.user || d.handle != st.token.handle || d.idle != st.token.idle ||
		!asGiven || rolls || st.remember > 0 || d.options.MaxAge > 0 && d.until.IsZero()
	if !d.cookieEnd.IsZero() { // keeps the life that it once was given
		left := int64(math.Ceil(time.Until(d.cookieEnd).Seconds()))
		d.options.MaxAge = int(min(max(1, left), math.MaxInt))
	}
}

// maxAge keeps durations from overflowing: a hundred years in seconds. That is
// more than an int of 32 bits holds.
const maxAge int64 = 100 * 365 * 24 * 3600

// setCookie adds the cookie to the response, in place of one that this request
// has set before.
func (st *state) setCookie(w http.ResponseWriter, options *sessions.Options) error {
	value := ""
	if options.MaxAge >= 0 {
		value = st.pairs[0].encodeCookie(st.name, st.token)
	}
	field := sessions.NewCookie(st.name, value, options).String()
	if field == "" {
		return fmt.Errorf("session: %q cannot be the name of a cookie", st.name)
	}
	w.Header()["Set-Cookie"] = append(st.otherCookies(w), field)
	st.sent = field
	return nil
}

// otherCookies are the response's Set-Cookie fields but for the one that this
// request has set for the session.
func (st *state) otherCookies(w http.ResponseWriter) []string {
	fields := w.Header()["Set-Cookie"]
	others := make([]string, 0, len(fields)+1)
	for _, f := range fields {
		if f != st.sent {
			others = append(others, f)
		}
	}
	return others
}

// withdraw takes the cookie out of the response again that this request has set.
// If it has gone out the session ends.
func (st *state) withdraw(ctx context.Context, w http.ResponseWriter) {
	switch others := st.otherCookies(w); {
	case st.sent == "":
	case started(w):
		ctx, done := st.contexts.detached(ctx)
		defer done()
		_, _ = st.endOwn(ctx)
	case len(others) == 0:
		w.Header().Del("Set-Cookie")
	default:
		w.Header()["Set-Cookie"] = others
	}
}
