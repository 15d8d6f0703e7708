package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/session"
)

const cookieName = "session"

// visit loads the session of a cookie and hands it to f, which may be nil. It
// returns the user that the session knows, and what loading it said.
func visit(store *session.Store, cookie *http.Cookie, f func(w http.ResponseWriter, r *http.Request, values map[any]any, save func() error)) (user any, set *http.Cookie, err error) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if cookie != nil {
		r.AddCookie(cookie)
	}
	w := httptest.NewRecorder()
	s, err := store.Get(r, cookieName)
	if f != nil {
		f(w, r, s.Values, func() error { return s.Save(r, w) })
	}
	if cookies := w.Result().Cookies(); len(cookies) > 0 {
		set = cookies[0]
	}
	return s.Values["user"], set, err
}

// login makes a session.
func login(t *testing.T, store *session.Store, user any) *http.Cookie {
	t.Helper()
	_, cookie, _ := visit(store, nil, func(_ http.ResponseWriter, _ *http.Request, values map[any]any, save func() error) {
		values["user"] = user
		if err := save(); err != nil {
			t.Errorf("login of %v: %v", user, err)
		}
	})
	return cookie
}

// One of three servers is killed with 10,000 sessions on them.
func TestFleet_OneOfThreeServersKilled(t *testing.T) {
	const sessions = 10_000
	servers := start(t, 3)
	var addrs []string
	for _, server := range servers {
		addrs = append(addrs, server.Addr())
	}
	client, err := memcached.New(addrs, &memcached.Options{Auth: sasl.Auto(username, password), Timeout: 5 * time.Second, RetryAfter: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	store := newStore(t, client, nil, authKey)
	cookies := make([]*http.Cookie, sessions)
	parallel(sessions, 32, func(i int) { cookies[i] = login(t, store, i) })

	servers[0].Kill()
	lost := make([]bool, sessions)
	var gone atomic.Int64
	begin := time.Now()
	parallel(sessions, 32, func(i int) {
		user, set, err := visit(store, cookies[i], func(_ http.ResponseWriter, _ *http.Request, values map[any]any, save func() error) {
			if values["user"] == nil { // the page goes on, and tries to store something
				values["cart"] = 1
				if err := save(); !errors.Is(err, session.ErrUnavailable) {
					t.Errorf("Save without the server: %v, want ErrUnavailable", err)
				}
			}
		})
		switch {
		case err == nil && user == i:
		case errors.Is(err, session.ErrUnavailable) && user == nil && set == nil:
			lost[i] = true
			gone.Add(1)
		default:
			t.Errorf("session %d = %v with cookie %v, %v, want itself or ErrUnavailable", i, user, set, err)
		}
	})
	if took := time.Since(begin); took > 30*time.Second {
		t.Errorf("10,000 loads took %v while a server was down", took)
	}
	if n := gone.Load(); n < sessions/5 || n > sessions/2 {
		t.Errorf("%d of %d sessions were on the server that was killed, want about a third", n, sessions)
	}

	servers[0].Restart() // empty
	eventually(t, "the client to use the server again", func() bool {
		for i := range lost {
			if lost[i] {
				_, _, err := visit(store, cookies[i], nil)
				return err == nil
			}
		}
		return true
	})
	parallel(sessions, 32, func(i int) {
		switch user, _, err := visit(store, cookies[i], nil); {
		case err != nil:
			t.Errorf("session %d after the restart: %v", i, err)
		case lost[i] != (user == nil):
			t.Errorf("session %d = %v after the restart, was lost: %t", i, user, lost[i])
		}
	})
	if cookie := login(t, store, "back"); cookie == nil {
		t.Error("no login after the restart")
	}
}

func TestFleet_PausedServerLosesNothing(t *testing.T) {
	servers := start(t, 1)
	client, err := memcached.New([]string{servers[0].Addr()}, &memcached.Options{Auth: sasl.Auto(username, password), Timeout: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	store := newStore(t, client, nil, authKey)
	var cookie *http.Cookie
	eventually(t, "a login", func() bool { // the first connection may need longer than the timeout
		_, cookie, _ = visit(store, nil, func(_ http.ResponseWriter, _ *http.Request, values map[any]any, save func() error) {
			values["user"] = "ada"
			_ = save()
		})
		return cookie != nil
	})

	probe := connect(t, servers...)
	servers[0].Pause()
	eventually(t, "the server to fall silent", func() bool { // its threads stop one after another
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		return probe.Ping(ctx) != nil
	})
	_, set, err := visit(store, cookie, func(_ http.ResponseWriter, _ *http.Request, values map[any]any, save func() error) {
		servers[0].Resume() // between the failed read and the save
		values["user"] = "nobody"
		if err := save(); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("Save after a failed read: %v, want ErrUnavailable", err)
		}
	})
	if !errors.Is(err, session.ErrUnavailable) || set != nil {
		t.Errorf("Get from a silent server = %v with cookie %v, want ErrUnavailable and none", err, set)
	}
	eventually(t, "the session", func() bool {
		user, _, err := visit(store, cookie, nil)
		return err == nil && user == "ada"
	})
}

// childVariable makes the test program revoke a user's sessions instead of
// running tests.
const childVariable = "SESSION_TEST_REVOKE"

func TestFleet_RevokeAllFromAnotherProcess(t *testing.T) {
	if addr := os.Getenv(childVariable); addr != "" {
		revoke(t, addr)
		return
	}
	server := start(t, 1)[0]
	store := newStore(t, connect(t, server), nil, authKey)
	bound := func(user string) *http.Cookie {
		r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
		s, _ := store.Get(r, cookieName)
		s.Values["user"] = user
		if err := errors.Join(store.Bind(r, s, user), s.Save(r, w)); err != nil {
			t.Fatalf("login: %v", err)
		}
		return w.Result().Cookies()[0]
	}
	phone, laptop, other := bound("ada"), bound("ada"), bound("bob")

	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFleet_RevokeAllFromAnotherProcess$")
	child.Env = append(os.Environ(), childVariable+"="+server.Addr())
	if output, err := child.CombinedOutput(); err != nil {
		t.Fatalf("the other process: %v\n%s", err, output)
	}
	for name, cookie := range map[string]*http.Cookie{"phone": phone, "laptop": laptop} {
		if user, _, err := visit(store, cookie, nil); user != nil || err != nil {
			t.Errorf("%s after RevokeAll = %v, %v, want a new session", name, user, err)
		}
	}
	if user, _, err := visit(store, other, nil); user != "bob" || err != nil {
		t.Errorf("another user's session = %v, %v, want bob", user, err)
	}
}

// revoke is the other process.
func revoke(t *testing.T, addr string) {
	client, err := memcached.New([]string{addr}, &memcached.Options{Auth: sasl.Auto(username, password), Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	if err := newStore(t, client, nil, authKey).RevokeAll(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(fmt.Sprint("waited in vain for ", what))
		}
	}
}
