package sessiontest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/bmemcached/bmemcached-go/session"
	"github.com/gorilla/sessions"
)

const cookieName = "session"

// key is random enough for tests, and the same for every store.
var key = []byte("sessiontest sessiontest sessiontest")

func newStore(t testing.TB, client session.Client, opts *session.Options) *session.Store {
	t.Helper()
	store, err := session.New(client, opts, key)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// jar is a browser's cookie. Empty: none.
type jar string

// visit runs handle in a request that carries the cookie and returns the cookie
// that the browser has after it.
func (j jar) visit(ctx context.Context, store *session.Store, handle func(w http.ResponseWriter, r *http.Request, s *sessions.Session, err error)) jar {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	if j != "" {
		r.AddCookie(&http.Cookie{Name: cookieName, Value: string(j)})
	}
	w := httptest.NewRecorder()
	s, err := store.Get(r, cookieName)
	handle(w, r, s, err)
	for _, c := range w.Result().Cookies() {
		if j = jar(c.Value); c.MaxAge < 0 {
			j = ""
		}
	}
	return j
}

// set stores values and fails the test if that fails.
func (j jar) set(t *testing.T, store *session.Store, values map[any]any) jar {
	t.Helper()
	return j.visit(t.Context(), store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, err error) {
		t.Helper()
		for k, v := range values {
			s.Values[k] = v
		}
		if err == nil {
			err = s.Save(r, w)
		}
		if err != nil {
			t.Errorf("storing a session: %v", err)
		}
	})
}

// values returns what a new request finds.
func (j jar) values(t *testing.T, store *session.Store) (values map[any]any) {
	t.Helper()
	j.visit(t.Context(), store, func(_ http.ResponseWriter, _ *http.Request, s *sessions.Session, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("loading a session: %v", err)
		}
		values = s.Values
	})
	return values
}

// logout deletes the session.
func (j jar) logout(t *testing.T, store *session.Store) {
	t.Helper()
	j.visit(t.Context(), store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		t.Helper()
		s.Options.MaxAge = -1
		if err := s.Save(r, w); err != nil {
			t.Errorf("deleting a session: %v", err)
		}
	})
}
