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
	entry
	session sessions.Session // what the handler gets
	options sessions.Options // what it points to, unless the handler replaces it
	given   sessions.Options // the options as they were handed out
	loaded  record           // what entry.record points to after a read
	name    string
	sent    string // the Set-Cookie field that this request has set
}

// entry is what a request knows of what memcached holds.
type entry struct {
	failed error // why the session cannot be saved: ErrUnavailable, ErrDecode, ErrNotFound …

	token  token   // the cookie's; zero ID: the session has none yet
	pair   int     // which key pair the cookie was made with
	issued bool    // the browser has a cookie of token's ID
	stored bool    // memcached holds the session under token's ID
	cas    uint64  // the version that record is of
	stale  bool    // cas is of the version before the one that this request wrote
	sealed int     // which key pair the entry is sealed under
	record *record // as stored, as far as this request knows; nil: nothing yet
	seen   values  // the session's values when they were last as stored; see unfold

	renewed bool   // Renew took the old entry away: the next save creates
	bound   bool   // Bind set user and epoch: the next save writes them
	user    string // with bound
	epoch   epoch  // with bound
}

// New makes and loads the session. Gorilla's registry calls it, at most once,
// and tells the session its name and store.
func (st *state) New(r *http.Request, name string) (*sessions.Session, error) {
	st.session = sessions.Session{Values: make(map[any]any)}
	st.name = name
	markTouched(r).learn(st)
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
	markTouched(r)
	if !st.readCookie(r) {
		return session, nil
	}
	ctx, done := st.patient.outlast(r.Context())
	defer done()
	st.failed = st.load(ctx, session)
	return session, st.failed
}

// readCookie takes the first cookie of the session's name that one of the
// store's keys made. Others are none.
func (st *state) readCookie(r *http.Request) bool {
	cookieValues(r.Header, st.name, func(value string) bool {
		for i := range st.pairs {
			if t, ok := st.pairs[i].decodeCookie(st.name, value); ok {
				st.token, st.pair, st.issued = t, i, true
				return false
			}
		}
		return true
	})
	return st.issued
}

// end forgets the session: from here on it is new.
func (st *state) end(session *sessions.Session) {
	st.Store.forget(st.token.id)
	st.entry = entry{}
	session.ID = ""
	session.IsNew = true
}

// unfold makes sure that record has its values, and seen those that the handler
// was given. Requests that only read need neither.
func (st *state) unfold() error {
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

// registered returns the session of a name that gorilla's registry has for the
// request, making and loading it if there is none.
func (s *Store) registered(r *http.Request, name string) (*sessions.Session, error) {
	t, registry := markTouched(r), sessions.GetRegistry(r)
	st := t.state(s, name)
	if st == nil {
		st = &state{Store: s, name: name}
	}
	session, err := registry.Get(st, name) // gives the session st for its store
	if session == nil || session == &st.session {
		t.learn(st)
		return session, err
	}
	if known := firstOf(registry).state(s, name); known != nil { // made through another copy of the request
		return registry.Get(known, name)
	}
	return session, err // made by another kind of store
}

// finderName is the entry of gorilla's registry that tells which request the
// registry was made for.
const finderName = "github.com-bmemcached-bmemcached-go-session"

// finder is its store.
type finder struct{}

type finderKey struct{}

func (finder) Get(*http.Request, string) (*sessions.Session, error) { return nil, errNoSession }

// New is called with the request that the registry was made for.
func (finder) New(r *http.Request, _ string) (*sessions.Session, error) {
	return &sessions.Session{Values: map[any]any{finderKey{}: r}}, nil
}

// Save is called by sessions.Save, which saves everything in the registry.
func (finder) Save(*http.Request, http.ResponseWriter, *sessions.Session) error { return nil }

// firstOf returns what is known of the request that the registry was made for,
// with which all its sessions are loaded.
func firstOf(registry *sessions.Registry) *touched {
	found, err := registry.Get(finder{}, finderName)
	if err != nil {
		return new(touched)
	}
	r, ok := found.Values[finderKey{}].(*http.Request)
	if !ok {
		return new(touched)
	}
	return markTouched(r)
}

// now is when things happen: entries keep milliseconds.
func now() time.Time { return time.Now().Truncate(time.Millisecond).Round(0) }
