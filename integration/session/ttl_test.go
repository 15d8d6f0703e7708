package session_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/session"
)

// exact is how far from its end a session may end.
const exact = 50 * time.Millisecond

// life asks again and again whether something is there that was made between
// began and made, and is to be there for ttl.
func life(t *testing.T, what string, began, made time.Time, ttl time.Duration, there func() (bool, error)) {
	t.Helper()
	for {
		asked := time.Now()
		is, err := there()
		answered := time.Now()
		switch {
		case err != nil:
			t.Errorf("%s: %v", what, err)
			return
		case is && asked.Sub(made) > ttl+exact:
			t.Errorf("%s for %v: there %v after it was made", what, ttl, asked.Sub(made))
			return
		case !is:
			if answered.Sub(began) < ttl-exact {
				t.Errorf("%s for %v: gone %v after it was made", what, ttl, answered.Sub(began))
			}
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Absolute timeouts, those of sessions that are remembered, and the expiries of
// scs are exact to 50 ms, whenever in a second of the server's clock a session is
// made. Idle timeouts are counted by memcached, in seconds.
func TestTTL_IsExact(t *testing.T) {
	client := connect(t, start(t, 1)...)
	scs, err := session.NewSCS(client, nil, authKey)
	if err != nil {
		t.Fatal(err)
	}
	parallel(20, 20, func(w int) {
		time.Sleep(time.Duration(w) * exact)
		ttl := time.Duration(1+w%3) * time.Second
		token := fmt.Sprint("token", w)
		began := time.Now()
		if err := scs.Commit(token, []byte("data"), began.Add(ttl)); err != nil {
			t.Error(err)
			return
		}
		life(t, "scs", began, time.Now(), ttl, func() (bool, error) {
			_, found, err := scs.Find(token)
			return found, err
		})
	})
	parallel(20, 20, func(w int) {
		time.Sleep(time.Duration(w) * exact)
		ttl := time.Duration(1+w%3) * time.Second
		opts := &session.Options{IdleTimeout: time.Hour, AbsoluteTimeout: ttl}
		if w%2 == 0 {
			opts.AbsoluteTimeout = time.Hour
		}
		store := newStore(t, client, opts, authKey)
		began := time.Now()
		cookie := login(t, store, "ada")
		made := time.Now()
		if w%2 == 0 { // lives as long as it is remembered
			began = time.Now()
			cookie = remembered(t, store, cookie, ttl)
			made = time.Now()
		}
		life(t, "a session", began, made, ttl, func() (bool, error) {
			user, _, err := visit(store, cookie, nil)
			return user == "ada", err
		})
	})
}

// remembered makes a session live for a time of its own, and returns its new cookie.
func remembered(t *testing.T, store *session.Store, cookie *http.Cookie, life time.Duration) *http.Cookie {
	r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
	r.AddCookie(cookie)
	s, err := store.Get(r, cookieName)
	if err == nil {
		err = store.Remember(r, s, life)
	}
	if err == nil {
		err = s.Save(r, w)
	}
	cookies := w.Result().Cookies()
	if err != nil || len(cookies) != 1 {
		t.Errorf("Remember: %v, cookies %v", err, cookies)
		return cookie
	}
	return cookies[0]
}
