package sessiontest

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/session"
	"github.com/gorilla/sessions"
)

// loginsDuringRevocations lets a user log in from all sides while all of the
// user's sessions are revoked: those from before are dead, those that begin
// afterwards live, and nobody gets an error.
func loginsDuringRevocations(t *testing.T, client session.Client) {
	stores := []*session.Store{newStore(t, client, nil), newStore(t, client, nil)}
	login := func(store *session.Store, user string) jar {
		return jar("").visit(t.Context(), store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
			s.Values["user"] = user
			if err := errors.Join(store.Renew(r, s), store.Bind(r, s, user), s.Save(r, w)); err != nil {
				t.Errorf("login: %v", err)
			}
		})
	}
	for round := range 50 {
		user := fmt.Sprintf("ada %d %d", round, time.Now().UnixNano())
		before := []jar{login(stores[0], user), login(stores[1], user)}
		var during sync.WaitGroup
		for i := range 4 {
			during.Go(func() { login(stores[i%2], user) })
		}
		for i := range 2 {
			during.Go(func() {
				if err := stores[i].RevokeAll(t.Context(), user); err != nil {
					t.Errorf("RevokeAll: %v", err)
				}
			})
		}
		during.Wait()
		for i, b := range before {
			if got := b.values(t, stores[i]); len(got) != 0 {
				t.Errorf("round %d: a session from before RevokeAll has the values %v", round, got)
			}
		}
		if got := login(stores[0], user).values(t, stores[1])["user"]; got != user {
			t.Errorf("round %d: a login after RevokeAll has user = %v, want %v", round, got, user)
		}
	}
}
