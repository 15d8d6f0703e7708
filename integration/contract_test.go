package integration_test

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	libstore "github.com/eko/gocache/lib/v4/store"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/bmemcached"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest/clienttest"
	"github.com/bmemcached/bmemcached-go/binary/placement"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/middleware"
	"github.com/bmemcached/bmemcached-go/session"
	cachestore "github.com/bmemcached/bmemcached-go/store"
)

// What follows are the names and types that users' programs compile against.
// It does not compile when one of them changes.

var (
	_ func([]string, *memcached.Options) (*memcached.Client, error) = memcached.New

	_ func(*memcached.Client, context.Context, string) (*memcached.Item, error)                       = (*memcached.Client).Get
	_ func(*memcached.Client, context.Context, string, time.Duration) (*memcached.Item, error)        = (*memcached.Client).GetAndTouch
	_ func(*memcached.Client, context.Context, []byte, string) ([]byte, uint32, error)                = (*memcached.Client).AppendValue
	_ func(*memcached.Client, context.Context, []string) (map[string]*memcached.Item, error)          = (*memcached.Client).GetMulti
	_ func(*memcached.Client, context.Context, *memcached.Item) error                                 = (*memcached.Client).Set
	_ func(*memcached.Client, context.Context, *memcached.Item) error                                 = (*memcached.Client).Add
	_ func(*memcached.Client, context.Context, *memcached.Item) error                                 = (*memcached.Client).Replace
	_ func(*memcached.Client, context.Context, *memcached.Item) error                                 = (*memcached.Client).CompareAndSwap
	_ func(*memcached.Client, context.Context, []*memcached.Item) error                               = (*memcached.Client).SetMulti
	_ func(*memcached.Client, context.Context, string, []byte) error                                  = (*memcached.Client).Append
	_ func(*memcached.Client, context.Context, string, []byte) error                                  = (*memcached.Client).Prepend
	_ func(*memcached.Client, context.Context, string, time.Duration) error                           = (*memcached.Client).Touch
	_ func(*memcached.Client, context.Context, string) error                                          = (*memcached.Client).Delete
	_ func(*memcached.Client, context.Context, string, uint64) error                                  = (*memcached.Client).CompareAndDelete
	_ func(*memcached.Client, context.Context, []string) error                                        = (*memcached.Client).DeleteMulti
	_ func(*memcached.Client, context.Context, string, uint64) (uint64, error)                        = (*memcached.Client).Increment
	_ func(*memcached.Client, context.Context, string, uint64) (uint64, error)                        = (*memcached.Client).Decrement
	_ func(*memcached.Client, context.Context, string, uint64, uint64, time.Duration) (uint64, error) = (*memcached.Client).IncrementOrSet
	_ func(*memcached.Client, context.Context, string, uint64, uint64, time.Duration) (uint64, error) = (*memcached.Client).DecrementOrSet
	_ func(*memcached.Client, context.Context, time.Duration) error                                   = (*memcached.Client).FlushAll
	_ func(*memcached.Client, context.Context) error                                                  = (*memcached.Client).Ping
	_ func(*memcached.Client, context.Context) (map[string]string, error)                             = (*memcached.Client).Versions
	_ func(*memcached.Client, context.Context, string) (map[string]map[string]string, error)          = (*memcached.Client).ServerStats
	_ func(*memcached.Client, []string) error                                                         = (*memcached.Client).SetServers
	_ func(*memcached.Client) memcached.Stats                                                         = (*memcached.Client).Stats
	_ func(*memcached.Client) error                                                                   = (*memcached.Client).Close
	_ func(prefix, s string) string                                                                   = memcached.SafeKey
	_ memcached.Distribution                                                                          = memcached.Ketama
	_ memcached.Distribution                                                                          = placement.SpymemcachedKetama
	_ memcached.Distribution                                                                          = placement.Dalli
	_ memcached.Distribution                                                                          = placement.Gomemcache
	_ func(username, password string) memcached.Distribution                                          = placement.BMemcached
	_ func([]memcached.Server) func(key string) int                                                   = memcached.Ketama
	_ interface {
		OpStart(context.Context, memcached.Op) context.Context
		OpEnd(context.Context, memcached.Op, error)
	} = memcached.Tracer(nil)

	_ = memcached.Options{
		Auth: sasl.Mechanism(nil), TLS: (*tls.Config)(nil),
		DialContext: func(_ context.Context, _, _ string) (net.Conn, error) { return nil, nil },
		Timeout:     time.Second, DialTimeout: time.Second, ConnMaxLifetime: time.Hour, MaxConns: int(1), IdleTimeout: time.Second,
		Distribution: memcached.Distribution(nil), Weights: map[string]int{}, Replicate: true,
		EjectAfter: int(1), RetryAfter: time.Second, MaxItemSize: int(1),
		Logger: (*slog.Logger)(nil), Tracer: memcached.Tracer(nil),
	}
	_ = memcached.Item{Key: "", Value: []byte(nil), Flags: uint32(0), TTL: time.Second, CAS: uint64(0)}
	_ = memcached.Server{Addr: "", Weight: int(1)}
	_ = memcached.Op{Name: "", Key: "", Keys: int(1), Server: ""}

	_ = [...]error{
		memcached.ErrCacheMiss, memcached.ErrNotStored, memcached.ErrCASConflict,
		memcached.ErrMalformedKey, memcached.ErrTooLarge, memcached.ErrNotNumber,
		memcached.ErrAuth, memcached.ErrUnavailable, memcached.ErrClosed,
	}
	_ interface {
		error
		Unwrap() error
		Timeout() bool
		SafeToRetry() bool
	} = &memcached.OpError{Op: "", Key: "", Server: "", Err: error(nil)}
	_ interface {
		error
		Is(error) bool
	} = &memcached.StatusError{Status: memcached.StatusOutOfMemory, Message: ""}
	_ interface {
		error
		Unwrap() []error
	} = &memcached.MultiError{Errors: map[string]error{}}
)

// Authentication.
var (
	_ func(username, password string) sasl.Mechanism                       = sasl.Auto
	_ func(func(context.Context) (sasl.Credentials, error)) sasl.Mechanism = sasl.AutoFunc
	_ func(username, password string) sasl.Mechanism                       = sasl.Plain
	_ func(username, password string) sasl.Mechanism                       = sasl.ScramSHA256
	_ func(username, password string) sasl.Mechanism                       = sasl.ScramSHA1
	_ func(username, password string) sasl.Mechanism                       = sasl.CramMD5
	_                                                                      = sasl.Server{Addr: "", Secure: true, Mechanisms: []string{}}
	_ slog.LogValuer                                                       = sasl.Credentials{Identity: "", Username: "", Password: sasl.NewSecret("")}
	_ sasl.Mechanism                                                       = contractMechanism{}
	_ sasl.Session                                                         = contractSession{}
)

// contractMechanism and contractSession have what a mechanism from elsewhere
// needs, and no more.
type (
	contractMechanism struct{}
	contractSession   struct{}
)

func (contractMechanism) Name() string { return "" }
func (contractMechanism) Start(context.Context, sasl.Server) (sasl.Session, []byte, error) {
	return nil, nil, nil
}

func (contractSession) Next(challenge []byte) (response []byte, err error) { return nil, nil }
func (contractSession) Done() error                                        { return nil }

// Values.
var (
	_ codec.Codec = codec.Raw{}
	_ codec.Codec = codec.JSON{}
	_ interface {
		Encode(any) ([]byte, uint32, error)
		Decode([]byte, uint32, any) error
	} = codec.Codec(nil)
	_ func(codec.Codec, int) codec.Codec = codec.Compressed
	_ codec.Codec                        = bmemcached.Codec{CompressAbove: int(1), Unpickle: func([]byte) (any, error) { return nil, nil }}
)

// The server for tests.
var (
	_ func(testing.TB, *memcachedtest.Options) *memcachedtest.Server                 = memcachedtest.Start
	_ func(*memcachedtest.Options) (*memcachedtest.Server, error)                    = memcachedtest.NewServer
	_ func(*memcachedtest.Server) string                                             = (*memcachedtest.Server).Addr
	_ func(*memcachedtest.Server, context.Context, string, string) (net.Conn, error) = (*memcachedtest.Server).DialContext
	_ func(*memcachedtest.Server)                                                    = (*memcachedtest.Server).Close
	_ func(*memcachedtest.Server) error                                              = (*memcachedtest.Server).Restart
	_ func(*memcachedtest.Server, time.Duration)                                     = (*memcachedtest.Server).Advance
	_ func(*memcachedtest.Server, string) (*memcached.Item, bool)                    = (*memcachedtest.Server).Item
	_ func(*memcachedtest.Server, *memcached.Item)                                   = (*memcachedtest.Server).SetItem
	_ func(*memcachedtest.Server) []string                                           = (*memcachedtest.Server).Keys
	_ func(*memcachedtest.Server) []memcachedtest.Request                            = (*memcachedtest.Server).Requests
	_ func(*memcachedtest.Server, func(memcachedtest.Request) memcachedtest.Action)  = (*memcachedtest.Server).Intercept
	_ func(*testing.T, *clienttest.Options, func(*testing.T) *memcached.Client)      = clienttest.Run
	_                                                                                = clienttest.Options{MaxItemSize: int(1), MaxMemory: int(1), Advance: func() {}}
	_                                                                                = memcachedtest.Options{Users: map[string]string{}, Mechanisms: []string{}, TLS: (*tls.Config)(nil), MaxItemSize: int(1)}
)

// The store for gocache.
var (
	_ cachestore.Client                                                                                        = (*memcached.Client)(nil)
	_ func(cachestore.Client, ...libstore.Option) *cachestore.Store                                            = cachestore.New
	_ func(cachestore.Client, *cachestore.Options, ...libstore.Option) (*cachestore.Store, error)              = cachestore.NewWithOptions
	_ func(cachestore.Client, *cachestore.Options, ...libstore.Option) (*cachestore.Typed[http.Header], error) = cachestore.NewTyped[http.Header]
	_                                                                                                          = cachestore.Options{Prefix: "", Codec: codec.Codec(nil), UnknownTTL: time.Second, OnError: func(_ string, _ error) {}}

	_ libstore.StoreInterface      = (*cachestore.Store)(nil)
	_ libstore.SetIfNotExistsStore = (*cachestore.Store)(nil)
	_ io.Closer                    = (*cachestore.Store)(nil)
	_ libstore.StoreInterface      = (*cachestore.Typed[int])(nil)
	_ libstore.SetIfNotExistsStore = (*cachestore.Typed[int])(nil)
	_ io.Closer                    = (*cachestore.Typed[int])(nil)
)

// The response cache.
var (
	_ middleware.Client                                                       = (*memcached.Client)(nil)
	_ func(middleware.Client, *middleware.Options) (*middleware.Cache, error) = middleware.New
	_ func(*middleware.Cache) gin.HandlerFunc                                 = (*middleware.Cache).Handler
	_ func(*middleware.Cache, context.Context, *http.Request) error           = (*middleware.Cache).Purge
	_ func(*middleware.Cache, context.Context, ...string) error               = (*middleware.Cache).PurgeTags
	_ func(*middleware.Cache, context.Context) error                          = (*middleware.Cache).PurgeAll
	_ func(*middleware.Cache, context.Context, *http.Request) error           = (*middleware.Cache).PurgePath
	_ func(*middleware.Cache, context.Context, *http.Request) error           = (*middleware.Cache).SoftPurge
	_ func(*middleware.Cache, context.Context, ...string) error               = (*middleware.Cache).SoftPurgeTags
	_ func(*middleware.Cache, context.Context) error                          = (*middleware.Cache).SoftPurgeAll
	_ func(*middleware.Cache, context.Context, *http.Request) error           = (*middleware.Cache).SoftPurgePath
	_                                                                         = middleware.Options{
		TTL: time.Second, StaleWhileRevalidate: time.Second, StaleIfError: time.Second, StaleIfUnreachable: true,
		StoreSetCookie: true, MaxBody: int64(1), TargetedFields: []string{},
		Key:    func(*http.Request) (string, bool) { return "", false },
		Engine: http.Handler(nil), Prefix: "", LookupTimeout: time.Second,
		RequestFields: []string{}, IgnoreRequestDirectives: true, HideTags: true, PathTags: true,
		MaxRecordings: int64(1), SealKeys: [][]byte{},
		Lifetime: func(*http.Request, int, http.Header, time.Duration) time.Duration { return 0 },
		OnEvent:  func(middleware.Event) {}, Logger: (*slog.Logger)(nil),
	}
)

// The session store.
var (
	_ session.Client                                                            = (*memcached.Client)(nil)
	_ func(session.Client, *session.Options, ...[]byte) (*session.Store, error) = session.New
	_                                                                           = session.Options{
		Prefix: "", IdleTimeout: time.Second, AbsoluteTimeout: time.Second, Codec: session.Codec(nil),
		MaxSessions: int(1), MaxSize: int(1), Logger: (*slog.Logger)(nil),
	}
	_ func(*session.Store, *http.Request, *sessions.Session, string) error         = (*session.Store).Label
	_ func(*session.Store, *http.Request, *sessions.Session, time.Duration) error  = (*session.Store).Remember
	_ func(*session.Store, context.Context, string) ([]session.Info, error)        = (*session.Store).List
	_ func(*session.Store, *sessions.Session) string                               = (*session.Store).Handle
	_ func(*session.Store, context.Context, string, string) error                  = (*session.Store).Revoke
	_ func(*session.Store, context.Context, string, string) error                  = (*session.Store).RevokeOthers
	_ func(http.Handler) http.Handler                                              = session.Private
	_ scs.IterableCtxStore                                                         = (*session.SCSStore)(nil)
	_ func(*session.Store, *http.Request, *sessions.Session) error                 = (*session.Store).Renew
	_ func(*session.Store, *http.Request, *sessions.Session, string) error         = (*session.Store).Bind
	_ func(*session.Store, context.Context, string) error                          = (*session.Store).RevokeAll
	_ func(*gin.Context) error                                                     = session.Renew
	_ func(*gin.Context, string) error                                             = session.Bind
	_ func() gin.HandlerFunc                                                       = session.Autosave
	_ session.Codec                                                                = session.JSON{}
	_ func(session.Client, *session.Options, ...[]byte) (*session.SCSStore, error) = session.NewSCS
	_ scs.CtxStore                                                                 = (*session.SCSStore)(nil)
	_ ginsessions.Store                                                            = (*session.Store)(nil)
	_ sessions.Store                                                               = (*session.Store)(nil)
)

// TestContract_ZeroOptionsAreDefaults: every constructor takes nil options.
func TestContract_ZeroOptionsAreDefaults(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t, nil)
	c, err := memcached.New([]string{server.Addr()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	untyped, err := cachestore.NewWithOptions(c, nil)
	if err != nil {
		t.Fatalf("a store with nil options: %v", err)
	}
	if err := untyped.Set(t.Context(), "key", "value"); err != nil {
		t.Errorf("a store with nil options: Set = %v", err)
	}
	typed, err := cachestore.NewTyped[int](c, nil)
	if err != nil {
		t.Fatalf("a typed store with nil options: %v", err)
	}
	if err := typed.Set(t.Context(), "key", 1); err != nil {
		t.Errorf("a typed store with nil options: Set = %v", err)
	}
	if cache, err := middleware.New(c, nil); err != nil {
		t.Errorf("a response cache with nil options: New = %v", err)
	} else if err := cache.PurgeTags(t.Context(), "tag"); err != nil {
		t.Errorf("a response cache with nil options: PurgeTags = %v", err)
	}
	logins, err := session.New(c, nil, make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	if err := logins.RevokeAll(t.Context(), "user"); err != nil {
		t.Errorf("a session store with nil options: RevokeAll = %v", err)
	}
	scsStore, err := session.NewSCS(c, nil, make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	if err := scsStore.Commit("token", []byte("data"), time.Now().Add(time.Hour)); err != nil {
		t.Errorf("an scs store with nil options: Commit = %v", err)
	}
}
