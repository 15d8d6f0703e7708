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
	name  string
	given sessions.Options // the session's options as it was handed out

	failed error // why the session cannot be saved: ErrUnavailable, ErrDecode, ErrNotFound …

	token  token   // the cookie's; zero ID: the session has none yet
	pair   int     // which key pair the cookie was made with
	issued bool    // the browser has a cookie of token's ID
	stored bool    // memcached holds the session under token's ID
	cas    uint64  // the version that record is of
	stale  bool    // cas is of the version before the one that this request wrote
	sealed int     // which key pair the entry is sealed under
	record *record // as stored, as far as this request knows; nil: nothing yet
	seen   values  // the session's values when they were last as stored

	renewed bool   // Renew took the old entry away: the next save creates
	bound   bool   // Bind set user and epoch: the next save writes them
	user    string // with bound
	epoch   epoch  // with bound
	sent    string // the Set-Cookie field that this request has set
}

// New makes and loads the session. It is called through gorilla's registry, at
// most once.
func (st *state) New(r *http.Request, name string) (*sessions.Session, error) {
	session := sessions.NewSession(st, name)
	session.IsNew = true
	if r == nil {
		st.failed = errNoSession
		return session, st.failed
	}
	st.name, st.given = name, st.cookieOptions(r, name)
	*session.Options = st.given
	markTouched(r)
	if st.failed = st.broken; st.failed != nil {
		return session, st.failed
	}
	if !st.readCookie(r) {
		return session, nil
	}
	st.failed = st.load(r.Context(), session)
	return session, st.failed
}

// readCookie takes the first cookie of the session's name that one of the
// store's keys made. Others are none.
func (st *state) readCookie(r *http.Request) bool {
	for _, c := range r.CookiesNamed(st.name) {
		for i := range st.pairs {
			if t, ok := st.pairs[i].decodeCookie(st.name, c.Value); ok {
				st.token, st.pair, st.issued = t, i, true
				return true
			}
		}
	}
	return false
}

// end forgets the session: from here on it is new.
func (st *state) end(session *sessions.Session) {
	*st = state{Store: st.Store, name: st.name, given: st.given, sent: st.sent}
	session.ID = ""
	session.IsNew = true
}

// registryName is where a request's states are kept in gorilla's registry,
// which outlives copies of the request.
const registryName = "github.com-bmemcached-bmemcached-go-session"

type registryKey struct{}

// registered is the Store of the registry's entry that holds states.
type registered struct{}

func (registered) Get(*http.Request, string) (*sessions.Session, error) { return nil, errNoSession }

func (r registered) New(*http.Request, string) (*sessions.Session, error) {
	session := sessions.NewSession(r, registryName)
	session.Values[registryKey{}] = make(map[string]*state)
	return session, nil
}

// Save is called by sessions.Save, which saves everything in the registry.
func (registered) Save(*http.Request, http.ResponseWriter, *sessions.Session) error { return nil }

// stateOf returns the state of a session in a request: the same one at every
// call, because the registry gives the session the store of the last call.
func stateOf(r *http.Request, s *Store, name string) *state {
	holder, err := sessions.GetRegistry(r).Get(registered{}, registryName)
	if err != nil {
		return &state{Store: s}
	}
	states, ok := holder.Values[registryKey{}].(map[string]*state)
	if !ok {
		return &state{Store: s}
	}
	st := states[name]
	if st == nil || st.Store != s {
		st = &state{Store: s}
		states[name] = st
	}
	return st
}

// now is when things happen: entries keep milliseconds.
func now() time.Time { return time.Now().Truncate(time.Millisecond).Round(0) }
