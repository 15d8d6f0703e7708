package session

import (
	"context"
	"log/slog"
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

// Options set up a store. The zero value of each field is its default; New
// copies the struct.
type Options struct {
	// Prefix stands before every key in memcached. Empty means "session:". One
	// that no key can begin with is replaced by a hash of it.
	Prefix string

	// IdleTimeout ends a session that long after the last request that loaded
	// it. Memcached counts in seconds: a session may end up to a second early.
	// Zero or less means 20 minutes.
	IdleTimeout time.Duration

	// AbsoluteTimeout ends a session that long after it was created, however
	// active it is. Renew does not extend it. Zero or less means 12 hours.
	AbsoluteTimeout time.Duration

	// Codec encodes values of types that the package does not store by itself.
	// Nil means encoding/gob.
	Codec Codec

	// MaxSize is how many bytes a stored session may take; Save refuses larger
	// ones with ErrTooLarge before anything is sent (the server would delete
	// the session that it has). Zero or less means 1 MiB less 1 KiB, which fits
	// a server with the default item size. Lower it with the server's -I.
	MaxSize int

	// Logger gets what goes wrong, each kind of event once in ten seconds at
	// most. Never session IDs, keys, values or users. Nil logs nothing.
	Logger *slog.Logger
}

const (
	defaultPrefix   = "session:"
	defaultIdle     = 20 * time.Minute
	defaultAbsolute = 12 * time.Hour
	defaultMaxSize  = 1<<20 - 1<<10
)

// withDefaults returns a copy with the defaults filled in.
func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.Prefix == "" {
		c.Prefix = defaultPrefix
	}
	c.Prefix = validPrefix(c.Prefix)
	if c.IdleTimeout <= 0 {
		c.IdleTimeout = defaultIdle
	}
	if c.AbsoluteTimeout <= 0 {
		c.AbsoluteTimeout = defaultAbsolute
	}
	if c.Codec == nil {
		c.Codec = gobCodec{}
	}
	if c.MaxSize <= 0 {
		c.MaxSize = defaultMaxSize
	}
	return c
}

// Store keeps sessions in memcached. It is a store for gin-contrib/sessions
// and for gorilla/sessions. It is safe for concurrent use; one request's
// session, being gorilla's map, is not.
type Store struct {
	client  Client
	opts    Options
	pairs   []pair
	broken  error // what is wrong with the store's set-up: every session fails with it
	cookie  atomic.Pointer[sessions.Options]
	recent  recent
	patient patient
	log     limitedLog
}

var (
	_ Client            = (*memcached.Client)(nil)
	_ ginsessions.Store = (*Store)(nil)
	_ sessions.Store    = (*Store)(nil)
)

// New returns a store whose cookies are signed and encrypted under keyPairs,
// as in gorilla: an authentication key (32 random bytes), then an encryption
// key of 16, 24 or 32 bytes or nil, then perhaps further pairs. The first pair
// writes, all pairs read: to change keys, add the new pair behind the old one
// everywhere, then move it to the front, and drop the old one a session's
// lifetime later.
//
// Missing or malformed keys make loading and saving fail with ErrKeys.
func New(client Client, opts *Options, keyPairs ...[]byte) *Store {
	s := &Store{client: client, opts: opts.withDefaults()}
	s.log.logger = s.opts.Logger
	if s.pairs, s.broken = newPairs(keyPairs); s.broken == nil && client == nil {
		s.broken = errNoClient
	}
	return s
}

// Options sets the options of the cookies, which are then used exactly as
// given. Until it is called cookies have Path=/, HttpOnly, SameSite=Lax, and
// Secure when the request came by TLS or the cookie's name begins with
// "__Host-" or "__Secure-", which browsers accept with Secure alone.
//
// MaxAge 0 makes a cookie that the browser drops when it closes; the session
// then lives as the store's timeouts say. A positive MaxAge ends the session on
// the server, too. A negative one, set on a single session, deletes it.
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
	session := sessions.NewSession(&state{Store: s, entry: entry{failed: err}}, name)
	session.IsNew = true
	return session
}
