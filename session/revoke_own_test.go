package session_test

import (
	"testing"

	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
)

// What the comment of RevokeAll says of the session of the request in hand.
func TestRevokeAll_OwnSession(t *testing.T) {
	for name, c := range map[string]struct {
		read, bind bool
		want       any
	}{
		"read before, bound after":     {read: true, bind: true, want: "ada"},
		"read before, not bound":       {read: true},
		"not read before, bound after": {bind: true},
	} {
		t.Run(name, func(t *testing.T) {
			_, store := newStore(t, nil)
			b := newLogin(t, store, "ada")
			b.gin(store, func(g *gin.Context) {
				s := ginsessions.Default(g)
				if c.read && s.Get("user") != "ada" {
					t.Error("the session is not there before RevokeAll")
				}
				if err := store.RevokeAll(g, "ada"); err != nil {
					t.Errorf("RevokeAll: %v", err)
				}
				if c.bind {
					if err := session.Bind(g, "ada"); err != nil {
						t.Errorf("Bind: %v", err)
					}
				}
				if got := s.Get("user"); (got != nil) != c.read {
					t.Errorf("after RevokeAll the request has user %v", got)
				}
				s.Set("k", 1)
				mustSave(t, s)
			})
			b.wantValue(store, "user", c.want)
		})
	}
}
