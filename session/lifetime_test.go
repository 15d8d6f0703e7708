package session_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"
)

const (
	day  = 24 * time.Hour
	week = 7 * 86400 // as a MaxAge
)

// What the cookie says, the session does: gin-contrib's usual options are enough.
func TestMaxAge_IsKeptUnlessATimeoutWasChosen(t *testing.T) {
	for name, tt := range map[string]struct {
		opts        *session.Options
		pause, life time.Duration
	}{
		"no timeouts": {nil, 6 * day, 7 * day},
		"idle chosen": {&session.Options{IdleTimeout: time.Hour}, 0, time.Hour},
		"absolute":    {&session.Options{AbsoluteTimeout: 2 * day}, 40 * time.Hour, 2 * day},
		"both chosen": {&session.Options{IdleTimeout: 5 * day, AbsoluteTimeout: 6 * day}, 4 * day, 6 * day},
	} {
		for _, own := range []bool{false, true} { // the options of one session
			t.Run(name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					_, store := newStore(t, tt.opts)
					options := ginsessions.Options{Path: "/", MaxAge: week}
					if !own {
						store.Options(options)
					}
					b := newBrowser(t)
					b.gin(store, func(c *gin.Context) {
						s := ginsessions.Default(c)
						s.Set("k", 1)
						if own {
							s.Options(options)
						}
						mustSave(t, s)
					})
					time.Sleep(tt.pause)
					b.wantValue(store, "k", 1)
					time.Sleep(tt.life - tt.pause - 2*time.Second)
					b.wantValue(store, "k", 1)
					time.Sleep(tt.life)
					b.wantValue(store, "k", nil)
				})
			})
		}
	}
}

// However short the life is that a session is given, and whenever in a second of the
// server's clock: the record knows its end.
func TestRemember_IsExact(t *testing.T) {
	for _, opts := range []*session.Options{nil, {IdleTimeout: time.Hour}} {
		bubble(t, func(t *testing.T) {
			_, store := newStore(t, opts)
			b := newBrowser(t)
			b.set(store, "k", 1)
			time.Sleep(950 * time.Millisecond)
			b.gin(store, func(c *gin.Context) {
				if err := session.Remember(c, time.Second); err != nil {
					t.Errorf("Remember: %v", err)
				}
			})
			for range 99 {
				time.Sleep(10 * time.Millisecond)
				b.wantValue(store, "k", 1)
			}
			time.Sleep(10 * time.Millisecond)
			b.wantValue(store, "k", nil)
		})
	}
}

// An active user's cookie is sent anew, although nothing changes.
func TestMaxAge_RollsForActiveUsers(t *testing.T) {
	use := map[string]func(b *browser, store *session.Store) *http.Response{
		"equal values": func(b *browser, store *session.Store) *http.Response { return b.set(store, "k", 1).Result() },
		"read with Autosave": func(b *browser, store *session.Store) *http.Response {
			return b.autosave(store, func(c *gin.Context) { ginsessions.Default(c).Get("k"); c.String(http.StatusOK, "x") }).Result()
		},
		"gorilla": func(b *browser, store *session.Store) *http.Response {
			return b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
				if err := s.Save(r, w); err != nil {
					t.Errorf("Save: %v", err)
				}
			}).Result()
		},
	}
	for name, visit := range use {
		bubble(t, func(t *testing.T) {
			server, store := newStore(t, &session.Options{AbsoluteTimeout: 30 * day})
			store.Options(ginsessions.Options{Path: "/", MaxAge: week})
			b := newBrowser(t)
			b.set(store, "k", 1)
			for range 28 {
				time.Sleep(day)
				visit(b, store)
				server.ForgetRequests()
				if resp := visit(b, store); len(resp.Cookies()) != 0 || operations(server) != "GAT" {
					t.Errorf("%s: the cookie was sent twice a day, with %s", name, operations(server))
				}
			}
			b.wantValue(store, "k", 1)
			time.Sleep(36 * time.Hour)
			b.wantValue(store, "k", 1)
			visit(b, store)
			time.Sleep(day)
			b.wantValue(store, "k", nil) // the absolute timeout
		})
	}
}

// "Remember me" lives beside sessions with the store's strict timeouts.
func TestRemember(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, &session.Options{IdleTimeout: 15 * time.Minute, AbsoluteTimeout: 8 * time.Hour})
		login := func(remember bool) (*browser, string) {
			b := newBrowser(t)
			b.set(store, "cart", 1)
			rec := b.gin(store, func(c *gin.Context) {
				ginsessions.Default(c).Set("user", "ada")
				err := session.Renew(c)
				if remember {
					err = errors.Join(err, session.Remember(c, 30*day))
				}
				if err = errors.Join(err, session.Bind(c, "ada")); err != nil {
					t.Errorf("login: %v", err)
				}
			})
			return b, attributes(t, rec)
		}
		remembered, sent := login(true)
		if want := "Max-Age=2592000;"; !strings.Contains(sent, want) {
			t.Errorf("cookie attributes = %q, want %s", sent, want)
		}
		strict, sent := login(false)
		if strings.Contains(sent, "Max-Age") {
			t.Errorf("cookie attributes = %q, want no Max-Age", sent)
		}
		time.Sleep(15 * time.Minute)
		strict.wantValue(store, "user", nil)
		other, _ := login(false) // whose roster lives shorter
		time.Sleep(20 * day)
		remembered.wantValue(store, "user", "ada")
		other.wantValue(store, "user", nil)
		if got := attributes(t, remembered.gin(store, func(c *gin.Context) { _ = session.Renew(c) })); !strings.Contains(got, "Max-Age=8") { // 864,900 less 900
			t.Errorf("cookie attributes after Renew = %q, want the rest of 30 days", got)
		}
		remembered.set(store, "k", 1)
		time.Sleep(10*day - 16*time.Minute)
		remembered.wantValue(store, "user", "ada")
		time.Sleep(16 * time.Minute)
		remembered.wantValue(store, "user", nil) // active or not
	})
}

// A request that came with the cookie from before Remember does not shorten what
// the session was given.
func TestRemember_BesideAnOlderCookie(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, &session.Options{IdleTimeout: 15 * time.Minute})
		b := newBrowser(t)
		b.set(store, "k", 1)
		older := b.copy()
		b.gin(store, func(c *gin.Context) {
			if err := session.Remember(c, 30*day); err != nil {
				t.Errorf("Remember: %v", err)
			}
		})
		older.wantValue(store, "k", 1)
		time.Sleep(day)
		b.wantValue(store, "k", 1)
	})
}

// A timeout that is chosen later counts for sessions that have a longer one in
// their cookie.
func TestMaxAge_ATimeoutChosenLater(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server, store := newStore(t, nil)
		client := newClient(t, server)
		store.Options(ginsessions.Options{Path: "/", MaxAge: week})
		b := newBrowser(t)
		b.set(store, "k", 1)
		stricter := storeOn(t, client, &session.Options{IdleTimeout: time.Hour}, authKey)
		time.Sleep(day)
		b.wantValue(stricter, "k", 1)
		time.Sleep(time.Hour)
		b.wantValue(stricter, "k", nil)
	})
}

func TestRemember_Refuses(t *testing.T) {
	_, store := newStore(t, nil)
	newBrowser(t).gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		for _, life := range []time.Duration{0, -time.Hour, 60, time.Millisecond, 401 * day} {
			if err := store.Remember(r, s, life); err == nil {
				t.Errorf("Remember(%v) = nil, want an error", life)
			}
		}
	})
	newBrowser(t).gin(store, func(c *gin.Context) {
		if err := session.Remember(c, 60); err == nil || !strings.Contains(err.Error(), "60*time.Second") {
			t.Errorf("Remember(60): %v, want an error about units", err)
		}
	})
}
