package session

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gorilla/sessions"
)

// Client is what a store needs of a memcached client. *memcached.Client has it.
// The server must keep versions (CAS), and exactly one server must hold a key:
// not memcached -C, not Options.Replicate.
type Client interface {
	Get(ctx context.Context, key string) (*memcached.Item, error)
	GetAndTouch(ctx context.Context, key string, ttl time.Duration) (*memcached.Item, error)
	Set(ctx context.Context, item *memcached.Item) error
	Add(ctx context.Context, item *memcached.Item) error
	CompareAndSwap(ctx context.Context, item *memcached.Item) error
	Delete(ctx context.Context, key string) error
	CompareAndDelete(ctx context.Context, key string, cas uint64) error
}

// Store keeps sessions in memcached. It is a store for gin-contrib/sessions,
// whose published tests it passes, and for gorilla/sessions. It is safe for concurrent use; one request's
// session, being gorilla's map, is not.
type Store struct {
	client   Client
	opts     Options
	pairs    []pair
	cookie   atomic.Pointer[sessions.Options]
	derived  derivedCache
	contexts contexts
	log      limitedLog
	above    string // see prefixOf

	idleChosen, absoluteChosen bool        // by the application
	warned                     atomic.Bool // of plain HTTP
}

var (
	_ Client            = (*memcached.Client)(nil)
	_ ginsessions.Store = (*Store)(nil)
	_ sessions.Store    = (*Store)(nil)
)

// New returns a store whose cookies are signed and encrypted under keyPairs,
// as in gorilla: an authentication key (32 random bytes or more), then an
// encryption key of 16, 24 or 32 bytes or nil, then perhaps further pairs. The
// first pair writes, all pairs read: to change keys, add the new pair behind the
// old one everywhere, then move it to the front, and drop the old one a
// session's lifetime later.
//
// Missing, short or otherwise malformed keys are ErrKeys. Options that make no
// sense and a client that replicates are errors. New panics if client is nil.
func New(client Client, opts *Options, keyPairs ...[]byte) (*Store, error) {
	requireClient("New", client)
	checked, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	pairs, err := newPairs(keyPairs)
	if err != nil {
		return nil, err
	}
	above, err := prefixOf(client)
	if err != nil {
		return nil, err
	}
	s := &Store{client: client, opts: checked, pairs: pairs, log: limitedLog{logger: checked.Logger}, above: above}
	if opts != nil {
		s.idleChosen, s.absoluteChosen = opts.IdleTimeout > 0, opts.AbsoluteTimeout > 0
	}
	return s, nil
}

// requireClient panics if there is no client: that can only be a mistake in the
// program.
func requireClient(constructor string, client Client) {
	if c, ok := client.(*memcached.Client); client == nil || ok && c == nil {
		panic("session: " + constructor + ": client is nil")
	}
}

// prefixOf returns what the client puts before every key, which the keys that this
// package knows do not have. Records are sealed for it, too: two programs that differ
// in it alone do not take each other's. The error says that the client cannot keep
// sessions.
func prefixOf(client Client) (string, error) {
	c, ok := client.(interface{ Options() memcached.Options })
	if !ok {
		return "", nil
	}
	opts := c.Options()
	if opts.Replicate {
		return "", errReplicates
	}
	return opts.Prefix, nil
}

// Options sets the options of the cookies, which are then used exactly as
// given. Until it is called cookies have Path=/, HttpOnly, SameSite=Lax, and
// Secure when the request came by TLS or the cookie's name begins with
// "__Host-" or "__Secure-", which browsers accept with Secure alone.
//
// MaxAge 0 makes a cookie that the browser drops when it closes; the session
// then lives as the store's timeouts say. A positive MaxAge, in seconds, is how
// long both live: a timeout that was not chosen is not shorter than it. Each save
// that changes something sends the cookie anew, and so does one that comes, with
// Autosave or by Save, after a quarter of MaxAge, until the absolute timeout.
// For "remember me", set a MaxAge on a single session, or use Remember where
// the store's timeouts were chosen. A negative MaxAge, set on a single session,
// deletes it.
func (s *Store) Options(options ginsessions.Options) { s.cookie.Store(options.ToGorillaOptions()) }

// cookieOptions are what a new session's Options field is set to.
func (s *Store) cookieOptions(r *http.Request, name string) sessions.Options {
	if given := s.cookie.Load(); given != nil {
		return *given
	}
	prefixed := strings.HasPrefix(name, "__Host-") || strings.HasPrefix(name, "__Secure-")
	return sessions.Options{
		Path:     "/",
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
		Secure:   r.TLS != nil || prefixed,
	}
}

// Get returns the session of a name, loading it at its first call in a request.
// The session is never nil. It is new if there is none, or none any more; that
// is no error. After ErrUnavailable and ErrDecode the session is empty and can
// be used, but not saved.
func (s *Store) Get(r *http.Request, name string) (*sessions.Session, error) {
	if r == nil {
		return s.refuse(name, errNoSession), errNoSession
	}
	session, err := s.registered(r, name)
	if session == nil { // a name that no cookie can have
		return s.refuse(name, err), err
	}
	return session, err
}

// New loads the session of a name like Get, but does not remember it for the
// request: every call loads anew.
func (s *Store) New(r *http.Request, name string) (*sessions.Session, error) {
	st := &state{Store: s}
	st.session = *sessions.NewSession(st, name)
	return st.start(r, name)
}

// Save stores what the request changed of the session and sets the cookie when
// it is new or has changed. It does nothing when nothing changed. Options.MaxAge
// below 0 deletes the session.
func (s *Store) Save(r *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	if r == nil || session == nil || session.Options == nil {
		return errNoSession
	}
	st, ok := session.Store().(*state)
	if !ok || st.Store != s { // made by hand, with sessions.NewSession
		st = &state{Store: s, name: session.Name(), given: *session.Options}
	}
	return st.Save(r, w, session)
}

// refuse returns a session that can be used but not saved.
func (s *Store) refuse(name string, err error) *sessions.Session {
	session := sessions.NewSession(&state{Store: s, view: view{failed: err}}, name)
	session.IsNew = true
	return session
}
