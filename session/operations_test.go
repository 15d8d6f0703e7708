package session_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"
)

func TestOperations(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	tests := []struct {
		name    string
		handler gin.HandlerFunc
		want    string // the operations that memcached sees
		cookies int
	}{
		{"new session, not touched", func(*gin.Context) {}, "", 0},
		{"new session, read", func(c *gin.Context) { ginsessions.Default(c).Get("k") }, "", 0},
		{"new session, saved empty", func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Delete("k")
			mustSave(t, s)
		}, "", 0},
		{"created", func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Set("k", "v")
			mustSave(t, s)
		}, "ADD", 1},
		{"not touched", func(*gin.Context) {}, "", 0},
		{"read", func(c *gin.Context) { ginsessions.Default(c).Get("k") }, "GAT", 0},
		{"read twice", func(c *gin.Context) {
			ginsessions.Default(c).Get("k")
			ginsessions.Default(c).Get("l")
		}, "GAT", 0},
		{"read and saved", func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Get("k")
			mustSave(t, s)
		}, "GAT", 0},
		{"set to an equal value", func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Set("k", "v")
			mustSave(t, s)
		}, "GAT", 0},
		{"absent key deleted", func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Delete("nothing")
			mustSave(t, s)
		}, "GAT", 0},
		{"flashes read, none there", func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Flashes()
			mustSave(t, s)
		}, "GAT", 0},
		{"changed", func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Set("k", "w")
			mustSave(t, s)
		}, "GAT SET+CAS", 0},
		{"changed twice", func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Set("k", 1)
			mustSave(t, s)
			s.Set("k", 2)
			mustSave(t, s)
			mustSave(t, s)
		}, "GAT SET+CAS GET SET+CAS", 0},
		{"options changed, saved twice", func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Options(ginsessions.Options{Path: "/", HttpOnly: true})
			mustSave(t, s)
			s.Delete("nothing")
			mustSave(t, s)
		}, "GAT SET+CAS", 1},
		{"bound, saved twice", func(c *gin.Context) {
			if err := session.Bind(c, "ada"); err != nil {
				t.Errorf("Bind: %v", err)
			}
			s := ginsessions.Default(c)
			s.Delete("nothing")
			mustSave(t, s)
		}, "GAT GET ADD SET+CAS", 1},
		{"bound, read", func(c *gin.Context) { ginsessions.Default(c).Get("k") }, "GAT GET", 0},
		{"renewed", func(c *gin.Context) {
			if err := session.Renew(c); err != nil {
				t.Errorf("Renew: %v", err)
			}
		}, "GAT GET SET+CAS ADD", 1},
		{"deleted", func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Options(ginsessions.Options{Path: "/", MaxAge: -1})
			mustSave(t, s)
		}, "GAT GET DELETE+CAS GET DELETE+CAS", 1},
	}
	for _, tt := range tests {
		server.ForgetRequests()
		rec := b.gin(store, tt.handler)
		if got := operations(server); got != tt.want {
			t.Errorf("%s: operations = %q, want %q", tt.name, got, tt.want)
		}
		if got := len(rec.Header().Values("Set-Cookie")); got != tt.cookies {
			t.Errorf("%s: %d Set-Cookie fields, want %d", tt.name, got, tt.cookies)
		}
	}
}

func TestNeverAnUnconditionalWrite(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	for n := range 5 {
		b.set(store, "k", n)
	}
	b.gin(store, func(c *gin.Context) {
		if err := errors.Join(session.Renew(c), session.Bind(c, "ada")); err != nil {
			t.Error(err)
		}
	})
	for _, r := range server.Requests() {
		if strings.HasPrefix(r.Op, "SET") && r.CAS == 0 {
			t.Errorf("a %s without CAS was sent", r.Op)
		}
	}
}

func TestChangesInsideAValueAreSeen(t *testing.T) {
	for name, codec := range map[string]session.Codec{"gob": nil, "JSON": session.JSON{}} {
		_, store := newStore(t, &session.Options{Codec: codec})
		b := newBrowser(t)
		b.set(store, "cart", map[string]any{"apples": 1})
		b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
			s.Values["cart"].(map[string]any)["apples"] = 2
			if err := s.Save(r, w); err != nil {
				t.Errorf("%s: Save: %v", name, err)
			}
		})
		if cart, _ := b.value(store, "cart").(map[string]any); cart["apples"] != 2 {
			t.Errorf("%s: cart = %v, want 2 apples", name, cart)
		}
	}
}
