package sessiontest

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/session"
	"github.com/gorilla/sessions"
)

func lifecycle(t *testing.T, client session.Client) {
	store := newStore(t, client, nil)
	b := jar("").set(t, store, map[any]any{"k": 1})
	if got := b.values(t, store)["k"]; got != 1 {
		t.Errorf("k = %v, want 1", got)
	}
	b = b.set(t, store, map[any]any{"l": "two"})
	if got, want := b.values(t, store), (map[any]any{"k": 1, "l": "two"}); !reflect.DeepEqual(got, want) {
		t.Errorf("values = %v, want %v", got, want)
	}
	renewed := b.visit(t.Context(), store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		if err := errors.Join(store.Renew(r, s), s.Save(r, w)); err != nil {
			t.Errorf("Renew and Save: %v", err)
		}
	})
	if renewed == b || len(b.values(t, store)) != 0 || len(renewed.values(t, store)) != 2 {
		t.Error("Renew did not move the session to a new ID")
	}
	renewed.logout(t, store)
	if got := renewed.values(t, store); len(got) != 0 {
		t.Errorf("values after the logout = %v, want none", got)
	}
}

// readingKeepsTheVersion checks what the store takes for granted: that rolling
// the idle timeout is no change that would disturb other requests.
func readingKeepsTheVersion(t *testing.T, client session.Client) {
	store := newStore(t, client, nil)
	b := jar("").set(t, store, map[any]any{"k": 1})
	counting := &counter{Client: client}
	b.visit(t.Context(), newStore(t, counting, nil), func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		b.values(t, store) // another request reads in between
		s.Values["k"] = 2
		if err := s.Save(r, w); err != nil {
			t.Errorf("Save: %v", err)
		}
	})
	if got := counting.n.Load(); got != 2 {
		t.Errorf("%d operations for a load and a save, want 2", got)
	}
}

// operations counts what requests cost.
func operations(t *testing.T, client session.Client) {
	counting := &counter{Client: client}
	store := newStore(t, counting, nil)
	b := jar("").set(t, store, map[any]any{"k": 1})
	handlers := []struct {
		name   string
		want   int64
		start  jar
		handle func(w http.ResponseWriter, r *http.Request, s *sessions.Session) error
	}{
		{"new session, saved empty", 0, "", func(w http.ResponseWriter, r *http.Request, s *sessions.Session) error { return s.Save(r, w) }},
		{"read", 1, b, func(http.ResponseWriter, *http.Request, *sessions.Session) error { return nil }},
		{"read and saved", 1, b, func(w http.ResponseWriter, r *http.Request, s *sessions.Session) error { return s.Save(r, w) }},
		{"flashes read, none there", 1, b, func(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
			s.Flashes()
			return s.Save(r, w)
		}},
		{"set to what it was", 1, b, func(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
			s.Values["k"] = 1
			return s.Save(r, w)
		}},
		{"changed", 2, b, func(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
			s.Values["k"] = 2
			return s.Save(r, w)
		}},
	}
	for _, h := range handlers {
		counting.n.Store(0)
		after := h.start.visit(t.Context(), store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, err error) {
			if err = errors.Join(err, h.handle(w, r, s)); err != nil {
				t.Errorf("%s: %v", h.name, err)
			}
		})
		if n := counting.n.Load(); n != h.want || after != h.start {
			t.Errorf("%s: %d operations, cookie set: %t, want %d and none", h.name, n, after != h.start, h.want)
		}
	}
}

func sizes(t *testing.T, client session.Client) {
	store := newStore(t, client, nil)
	var b jar
	for _, size := range []int{1, 1000, 100_000, 1_040_000} {
		b = b.set(t, store, map[any]any{"data": strings.Repeat("x", size)})
		if got, _ := b.values(t, store)["data"].(string); len(got) != size {
			t.Errorf("%d bytes came back as %d", size, len(got))
		}
	}
	b.visit(t.Context(), store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		s.Values["data"] = strings.Repeat("y", 1<<20)
		if err := s.Save(r, w); !errors.Is(err, session.ErrTooLarge) {
			t.Errorf("Save of 1 MiB: %v, want ErrTooLarge", err)
		}
	})
	if got, _ := b.values(t, store)["data"].(string); len(got) != 1_040_000 {
		t.Errorf("the previous session has %d bytes, want 1,040,000", len(got))
	}
}

func longTimeouts(t *testing.T, client session.Client) {
	for _, life := range []time.Duration{30*24*time.Hour + time.Second, 365 * 24 * time.Hour} {
		store := newStore(t, client, &session.Options{IdleTimeout: life, AbsoluteTimeout: life})
		b := jar("").set(t, store, map[any]any{"k": 1})
		for range 2 { // as stored, and as touched
			if got := b.values(t, store)["k"]; got != 1 {
				t.Errorf("with timeouts of %v: k = %v, want 1", life, got)
			}
		}
	}
}

func parallelRequests(t *testing.T, client session.Client) {
	const n = 20
	store := newStore(t, client, nil)
	b := jar("").set(t, store, map[any]any{"start": true})
	var loaded, done sync.WaitGroup
	loaded.Add(n)
	for i := range n {
		done.Go(func() {
			b.visit(t.Context(), store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
				s.Values[i] = i
				loaded.Done()
				loaded.Wait()
				if err := s.Save(r, w); err != nil {
					t.Errorf("Save: %v", err)
				}
			})
		})
	}
	done.Wait()
	if got := len(b.values(t, store)); got != n+1 {
		t.Errorf("%d values, want %d", got, n+1)
	}
}

func flashOnce(t *testing.T, client session.Client) {
	const n = 10
	store := newStore(t, client, nil)
	b := jar("").visit(t.Context(), store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		s.AddFlash("hello")
		if err := s.Save(r, w); err != nil {
			t.Errorf("Save: %v", err)
		}
	})
	var loaded, done sync.WaitGroup
	var delivered atomic.Int64
	loaded.Add(n)
	for range n {
		done.Go(func() {
			b.visit(t.Context(), store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
				messages := s.Flashes()
				loaded.Done()
				loaded.Wait()
				switch err := s.Save(r, w); {
				case err == nil:
					delivered.Add(int64(len(messages)))
				case !errors.Is(err, session.ErrConflict):
					t.Errorf("Save: %v, want ErrConflict", err)
				}
			})
		})
	}
	done.Wait()
	if got := delivered.Load(); got != 1 {
		t.Errorf("%d of %d parallel readers got the message, want 1", got, n)
	}
}

func revokeAll(t *testing.T, client session.Client) {
	here, there := newStore(t, client, nil), newStore(t, client, nil)
	login := func(user string) jar {
		return jar("").visit(t.Context(), here, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
			s.Values["user"] = user
			if err := errors.Join(here.Renew(r, s), here.Bind(r, s, user), s.Save(r, w)); err != nil {
				t.Errorf("login: %v", err)
			}
		})
	}
	adas, bob := []jar{login("ada"), login("ada")}, login("bob")
	if err := there.RevokeAll(t.Context(), "ada"); err != nil {
		t.Fatalf("RevokeAll: %v", err)
	}
	for _, ada := range adas {
		if got := ada.values(t, here); len(got) != 0 {
			t.Errorf("a revoked session has the values %v", got)
		}
	}
	if got := bob.values(t, here)["user"]; got != "bob" {
		t.Errorf("another user's session has user = %v, want bob", got)
	}
	if got := login("ada").values(t, there)["user"]; got != "ada" {
		t.Errorf("a login after RevokeAll has user = %v, want ada", got)
	}
}

func scsStore(t *testing.T, client session.Client) {
	store, err := session.NewSCS(client, nil, key)
	if err != nil {
		t.Fatal(err)
	}
	token := fmt.Sprintf("token-%d", time.Now().UnixNano())
	if err := store.Commit(token, []byte("data"), time.Now().Add(40*24*time.Hour)); err != nil {
		t.Fatalf("Commit: %v", err)
	}
	if data, found, err := store.Find(token); string(data) != "data" || !found || err != nil {
		t.Errorf("Find = %q, %t, %v, want data", data, found, err)
	}
	if err := store.Commit(token, []byte("more"), time.Now().Add(time.Hour)); err != nil {
		t.Errorf("second Commit: %v", err)
	}
	if err := store.Delete(token); err != nil {
		t.Errorf("Delete: %v", err)
	}
	if err := store.Commit(token, []byte("zombie"), time.Now().Add(time.Hour)); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("Commit after Delete: %v, want ErrNotFound", err)
	}
	if data, found, err := store.Find(token); found || err != nil {
		t.Errorf("Find after Delete = %q, %t, %v, want nothing", data, found, err)
	}
}
