package session_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"
)

// cancelled is the context of a request whose browser has left.
func cancelled(t testing.TB) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// expired is the context of a request whose deadline has passed.
func expired(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), -time.Second)
	t.Cleanup(cancel)
	return ctx
}

// gorillaContext is gorilla for a request with a context.
func (b *browser) gorillaContext(ctx context.Context, store sessions.Store, f func(w http.ResponseWriter, r *http.Request, s *sessions.Session, err error)) {
	b.t.Helper()
	b.sendContext(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := store.Get(r, cookieName)
		f(w, r, s, err)
	}))
}

func TestCancelledRequest_LoadsAndSaves(t *testing.T) {
	var logs bytes.Buffer
	_, store := newStore(t, &session.Options{Logger: slog.New(slog.NewTextHandler(&logs, nil))})
	b := newBrowser(t)
	b.set(store, "k", 1)
	b.gorillaContext(cancelled(t), store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, err error) {
		if err != nil || s.Values["k"] != 1 {
			t.Errorf("Get: %v, %v, want the session", s.Values, err)
		}
		s.Values["k"] = 2
		if err := s.Save(r, w); err != nil {
			t.Errorf("Save: %v", err)
		}
	})
	b.wantValue(store, "k", 2)
	if logs.Len() > 0 {
		t.Errorf("logged: %s", &logs)
	}
}

func TestCancelledRequest_CreatesRenewsBindsAndRevokes(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.gorillaContext(cancelled(t), store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		s.Values["k"] = 1
		if err := errors.Join(s.Save(r, w), store.Renew(r, s), store.Bind(r, s, "ada"), s.Save(r, w)); err != nil {
			t.Errorf("login: %v", err)
		}
	})
	b.wantValue(store, "k", 1)
	if err := store.RevokeAll(cancelled(t), "ada"); err != nil {
		t.Errorf("RevokeAll: %v", err)
	}
	b.wantValue(store, "k", nil)
}

func TestCancelledRequest_LogsOut(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	b.gorillaContext(cancelled(t), store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		s.Options.MaxAge = -1
		if err := s.Save(r, w); err != nil {
			t.Errorf("Save: %v", err)
		}
	})
	if keys := server.Keys(); len(keys) != 0 {
		t.Errorf("memcached still holds %d items", len(keys))
	}
}

// A real browser that leaves while the handler works.
func TestBrowserLeaves_AutosaveStillSaves(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	arrived, done := make(chan struct{}), make(chan []string, 1)
	web := httptest.NewServer(engine(store, func(c *gin.Context) {
		c.Next()
		done <- c.Errors.Errors()
	}, session.Autosave(), func(c *gin.Context) {
		close(arrived)
		<-c.Request.Context().Done() // the browser has left
		s := ginsessions.Default(c)
		if s.Get("k") != 1 {
			t.Error("the handler did not get the session")
		}
		s.Set("k", 2)
		c.String(http.StatusOK, "nobody reads this")
	}))
	defer web.Close()

	ctx, leave := context.WithCancel(t.Context())
	go func() {
		<-arrived
		leave()
	}()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, web.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: cookieName, Value: b.cookie(cookieName)})
	if rec, err := web.Client().Do(r); err == nil {
		_ = rec.Body.Close()
		t.Fatal("the request was answered, want it given up")
	}
	if errs := <-done; len(errs) > 0 {
		t.Errorf("the request's errors: %q", errs)
	}
	b.wantValue(store, "k", 2)
}

func TestPassedDeadline_FailsAtOnce(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	server.ForgetRequests()
	b.gorillaContext(expired(t), store, func(_ http.ResponseWriter, _ *http.Request, _ *sessions.Session, err error) {
		wantPassed(t, "Get", err)
	})
	wantPassed(t, "RevokeAll", store.RevokeAll(expired(t), "ada"))
	if got := operations(server); got != "" {
		t.Errorf("operations = %q, want none", got)
	}
}

// wantPassed fails the test unless err says that the deadline has passed, and
// does not say that it is the server's fault.
func wantPassed(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("%s: %v, want context.DeadlineExceeded and ErrUnavailable", what, err)
	}
	if err != nil && strings.Contains(err.Error(), "server unavailable") {
		t.Errorf("%s: %q, want nothing said of the server", what, err)
	}
}

// The deadline counts even if the browser has left, and the client's Timeout
// even if the deadline is far away.
func TestDeadline_IsKeptAsIsTheTimeout(t *testing.T) {
	for name, c := range map[string]struct{ deadline, want time.Duration }{
		"near":     {3 * time.Second, 3 * time.Second},
		"far away": {time.Hour, 10 * time.Second}, // newClient's Timeout
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				server, store := newStore(t, nil)
				b := newBrowser(t)
				b.set(store, "k", 1)
				silent(server)
				ctx, cancel := context.WithTimeout(t.Context(), c.deadline)
				defer cancel()
				ctx, leave := context.WithCancel(ctx)
				leave()
				start := time.Now()
				b.gorillaContext(ctx, store, func(_ http.ResponseWriter, _ *http.Request, _ *sessions.Session, err error) {
					if took := time.Since(start); !errors.Is(err, session.ErrUnavailable) || took != c.want {
						t.Errorf("Get = %v after %v, want ErrUnavailable after %v", err, took, c.want)
					}
				})
			})
		})
	}
}

func TestClientWithoutTimeout_IsNotWaitedForWithoutEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := memcachedtest.Start(t, nil)
		newClient := func() *memcached.Client {
			client, err := memcached.New([]string{server.Addr()}, &memcached.Options{DialContext: server.DialContext, Timeout: -1})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = client.Close() })
			return client
		}
		store := storeOn(t, newClient(), nil, authKey)
		b := newBrowser(t)
		b.set(store, "k", 1)
		silent(server, "GAT", "GATK", "GET", "GETK")

		far, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		for name, ctx := range map[string]context.Context{"none": t.Context(), "cancelled": cancelled(t), "with a deadline": far} {
			for what, do := range map[string]func() error{ // each of a client that does not know yet
				"Get": func() (err error) {
					b.gorillaContext(ctx, storeOn(t, newClient(), nil, authKey), func(_ http.ResponseWriter, _ *http.Request, _ *sessions.Session, e error) { err = e })
					return err
				},
				"FindCtx": func() error {
					_, _, err := scsOn(t, newClient(), nil, authKey).FindCtx(ctx, scsToken)
					return err
				},
			} {
				start := time.Now()
				wantPassed(t, what, do())
				if took := time.Since(start); took < 10*time.Second || took > 20*time.Second {
					t.Errorf("%s, context %s, took %v, want 10 s to 20 s", what, name, took)
				}
			}
		}
		server.Intercept(nil)
		time.Sleep(2 * time.Second) // the client tries again
		b.wantValue(store, "k", 1)
	})
}

// asked is a client that looks at its contexts.
type asked struct {
	session.Client
	look func(ctx context.Context)
}

func (a asked) GetAndTouch(ctx context.Context, key string, ttl time.Duration) (*memcached.Item, error) {
	a.look(ctx)
	return a.Client.GetAndTouch(ctx, key, ttl)
}

func TestContext_OfTheClientHasTheRequestsValues(t *testing.T) {
	type key struct{}
	server := memcachedtest.Start(t, nil)
	looked := 0
	store := storeOn(t, asked{newClient(t, server), func(ctx context.Context) {
		looked++
		if got := ctx.Value(key{}); got != "value" {
			t.Errorf("Value = %v, want the request's", got)
		}
		if err := context.Cause(ctx); err != nil {
			t.Errorf("Cause = %v, want none", err)
		}
		child, cancel := context.WithCancel(ctx)
		defer cancel()
		if err := child.Err(); err != nil {
			t.Errorf("a context made of it: %v, want it alive", err)
		}
	}}, nil, authKey)
	b := newBrowser(t)
	b.set(store, "k", 1)
	ctx, cancel := context.WithCancelCause(context.WithValue(t.Context(), key{}, "value"))
	cancel(errors.New("left"))
	b.gorillaContext(ctx, store, func(_ http.ResponseWriter, _ *http.Request, _ *sessions.Session, err error) {
		if err != nil {
			t.Errorf("Get: %v", err)
		}
	})
	if looked != 1 {
		t.Errorf("the client was asked %d times, want once", looked)
	}
}

// A cancellation that comes from elsewhere, a Tracer say, is no word on the
// server.
func TestCancellation_IsNotErrUnavailable(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	store := storeOn(t, givingUp{newClient(t, server)}, nil, authKey)
	b := newBrowser(t)
	b.set(store, "k", 1)
	b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, err error) {
		for what, err := range map[string]error{"Get": err, "Save": s.Save(r, w)} {
			if !errors.Is(err, context.Canceled) || errors.Is(err, session.ErrUnavailable) {
				t.Errorf("%s: %v, want context.Canceled and not ErrUnavailable", what, err)
			}
		}
	})
	b.gorilla(storeOn(t, newClient(t, server), nil, authKey), func(_ http.ResponseWriter, _ *http.Request, s *sessions.Session, _ error) {
		if s.Values["k"] != 1 {
			t.Error("the session is gone")
		}
	})
}

// givingUp is a client whose reads are cancelled.
type givingUp struct{ session.Client }

func (g givingUp) GetAndTouch(ctx context.Context, key string, ttl time.Duration) (*memcached.Item, error) {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return g.Client.GetAndTouch(ctx, key, ttl)
}

func TestSCS_CancelledContext(t *testing.T) {
	_, store := newSCS(t, nil)
	expiry := time.Now().Add(time.Hour)
	if err := store.CommitCtx(cancelled(t), scsToken, []byte("x"), expiry); err != nil {
		t.Errorf("CommitCtx: %v", err)
	}
	if data, found, err := store.FindCtx(cancelled(t), scsToken); string(data) != "x" || !found || err != nil {
		t.Errorf("FindCtx = %q, %t, %v, want what was stored", data, found, err)
	}
	if err := store.DeleteCtx(cancelled(t), scsToken); err != nil {
		t.Errorf("DeleteCtx: %v", err)
	}
	wantNotFound(t, store, scsToken)
}

func TestSCS_PassedDeadline(t *testing.T) {
	server, store := newSCS(t, nil)
	_, _, err := store.FindCtx(expired(t), scsToken)
	wantPassed(t, "FindCtx", err)
	wantPassed(t, "CommitCtx", store.CommitCtx(expired(t), scsToken, nil, time.Now().Add(time.Hour)))
	wantPassed(t, "DeleteCtx", store.DeleteCtx(expired(t), scsToken))
	if got := operations(server); got != "" {
		t.Errorf("operations = %q, want none", got)
	}
}

func TestSCS_NilContextIsAnError(t *testing.T) {
	_, store := newSCS(t, nil)
	var none context.Context
	_, _, err := store.FindCtx(none, scsToken)
	for what, err := range map[string]error{"FindCtx": err, "CommitCtx": store.CommitCtx(none, scsToken, nil, time.Now().Add(time.Hour)), "DeleteCtx": store.DeleteCtx(none, scsToken)} {
		if err == nil {
			t.Errorf("%s without a context = nil, want an error", what)
		}
	}
}
