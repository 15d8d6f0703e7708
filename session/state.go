package session

import (
	"net/http"
	"time"

	"github.com/gorilla/sessions"
)

// state is what a request knows of a session beyond gorilla's Session. It is
// the Store that the session knows, so that wherever the session goes, its
// state can be found: values may be cleared and requests copied.
type state struct {
	*Store
	view
	session sessions.Session // what the handler gets
	options sessions.Options // what it points to, unless the handler replaces it
	given   sessions.Options // the options as they were handed out
	loaded  record           // what view.record points to after a read
	name    string
	none    bool   // the request has no cookie of the name
	sent    string // the Set-Cookie field that this request has set
}

// view is what a request knows of what memcached holds.
type view struct {
	failed error // why the session cannot be saved: ErrUnavailable, ErrDecode, ErrNotFound …

	token   token   // the cookie's; zero ID: the session has none yet
	pair    int     // which key pair the cookie was made with
	arrived id      // that the session was loaded with, whatever Renew has made of it
	issued  bool    // the browser has a cookie of token's ID
	stored  bool    // memcached holds the session under token's ID
	cas     uint64  // the version that record is of
	stale   bool    // cas is of the version before the one that this request wrote
	sealed  int     // which key pair the record is sealed under
	record  *record // as stored, as far as this request knows; nil: nothing yet
	seen    values  // the session's values when they were last as stored; see parseValues

	renewed bool      // Renew took the old record away: the next save creates
	expiry  time.Time // with renewed: when it is too late for that
	forward *forward  // what stands in the record's place, once it was renewed
	bound   bool      // Bind set user and place: the next save writes them
	user    string    // with bound
	label   string    // that Label said
	place   place     // the session in its user's roster, if it is bound
	before  place     // the same, before the save under way changed it there; zero: it has not

	remember time.Duration // Remember said so: the next save gives the session this life; 0: it did not
}

// New makes and loads the session. Gorilla's registry calls it, at most once,
// and tells the session its name and store.
func (st *state) New(r *http.Request, name string) (*sessions.Session, error) {
	st.session = sessions.Session{Values: make(map[any]any)}
	st.name = name
	if r != nil {
		touchedOf(r).remember(st)
	}
	return st.start(r, name)
}

// start loads the session.
func (st *state) start(r *http.Request, name string) (*sessions.Session, error) {
	st.name = name
	session := &st.session
	session.Options, session.IsNew = &st.options, true
	if r == nil {
		st.failed = errNoSession
		return session, st.failed
	}
	st.given = st.cookieOptions(r, name)
	st.options = st.given
	st.none = look(r, name)
	ctx, done := st.contexts.detached(r.Context())
	defer done()
	for t, pair := range st.tokens(r) {
		st.token, st.pair, st.issued = t, pair, true
		st.failed = st.load(ctx, session)
		if st.failed != nil || !session.IsNew {
			st.arrived = t.id
			break
		}
	}
	return session, st.failed
}

// parseValues makes sure that record has its values, and seen those that the
// handler was given. Requests that only read need neither.
func (st *state) parseValues() error {
	if st.record == nil {
		return nil
	}
	if err := st.record.parse(); err != nil {
		return err
	}
	if st.seen == nil {
		st.seen = st.record.values
	}
	return nil
}
