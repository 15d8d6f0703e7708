package session_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gorilla/sessions"
)

// Requests that are in flight while a session's time passes.

// A save that gives the session a longer life comes too late for one that has ended,
// although memcached still holds it.
func TestSave_OfASessionThatEndedMeanwhile(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for name, change := range map[string]func(store *session.Store, r *http.Request, s *sessions.Session) error{
			"a value": func(_ *session.Store, _ *http.Request, s *sessions.Session) error {
				s.Values["k"] = 2
				return nil
			},
			"Remember": func(store *session.Store, r *http.Request, s *sessions.Session) error {
				return store.Remember(r, s, 24*time.Hour)
			},
			"Renew and Remember": func(store *session.Store, r *http.Request, s *sessions.Session) error {
				return errors.Join(store.Remember(r, s, 24*time.Hour), store.Renew(r, s))
			},
			"a MaxAge": func(_ *session.Store, _ *http.Request, s *sessions.Session) error {
				s.Options.MaxAge = 3600
				return nil
			},
		} {
			_, store := newStore(t, &session.Options{IdleTimeout: 20 * time.Minute, AbsoluteTimeout: time.Hour})
			b := newLogin(t, store, "ada")
			for range 3 {
				time.Sleep(15 * time.Minute)
				b.wantValue(store, "user", "ada")
			}
			b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
				time.Sleep(16 * time.Minute)
				err := change(store, r, s)
				if err == nil {
					err = s.Save(r, w)
				}
				if !errors.Is(err, session.ErrNotFound) {
					t.Errorf("%s: %v after the absolute timeout, want ErrNotFound", name, err)
				}
			})
			b.wantValue(store, "user", nil)
		}
	})
}

// The longer life that another request gave it counts.
func TestSave_OfASessionThatLivesLongerThanTheRequestKnows(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, &session.Options{AbsoluteTimeout: 15 * time.Minute})
		b := newLogin(t, store, "ada")
		late := b.copy()
		late.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
			b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
				if err := errors.Join(store.Remember(r, s, time.Hour), s.Save(r, w)); err != nil {
					t.Error(err)
				}
			})
			time.Sleep(16 * time.Minute)
			s.Values["k"] = 1
			if err := s.Save(r, w); err != nil {
				t.Errorf("Save: %v", err)
			}
		})
		b.wantValue(store, "k", 1)
	})
}

// A renewed session that waited for its save longer than a logout beside it is known
// is not stored: the logout may have been there.
func TestRenew_SavedTooLate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, &session.Options{IdleTimeout: time.Hour})
		for _, wait := range []time.Duration{9 * time.Minute, 11 * time.Minute} {
			b := newLogin(t, store, "ada")
			old := b.copy()
			b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
				if err := store.Renew(r, s); err != nil {
					t.Fatal(err)
				}
				if err := old.logout(store); err != nil {
					t.Error(err)
				}
				time.Sleep(wait)
				if err := s.Save(r, w); !errors.Is(err, session.ErrNotFound) {
					t.Errorf("Save %v after the renewal and a logout: %v, want ErrNotFound", wait, err)
				}
			})
			b.wantValue(store, "user", nil)
		}
	})
}

// After its ten minutes what a renewal left is good for nothing, although somebody
// has looked at it.
func TestRenew_OfASessionThatWasRenewedLongAgo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, nil)
		b := newBrowser(t)
		b.set(store, "k", 1)
		late := b.copy()
		late.gorilla(store, func(_ http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
			b.login(store, "ada")
			time.Sleep(5 * time.Minute)
			late.copy().wantValue(store, "k", nil) // rolls what is under the old ID
			time.Sleep(6 * time.Minute)
			if err := store.Renew(r, s); !errors.Is(err, session.ErrNotFound) {
				t.Errorf("Renew: %v, want ErrNotFound", err)
			}
		})
	})
}

// What a save that fails would have given the session is not in the user's list.
func TestList_ForgetsWhatASaveThatFailedSaid(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, nil)
		b := newLogin(t, store, "ada")
		b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
			time.Sleep(21 * time.Minute) // the session has ended
			if err := store.Remember(r, s, 24*time.Hour); err != nil {
				t.Error(err)
			}
			if err := s.Save(r, w); !errors.Is(err, session.ErrNotFound) {
				t.Errorf("Save: %v, want ErrNotFound", err)
			}
		})
		time.Sleep(5 * time.Minute)
		if infos, err := store.List(t.Context(), "ada"); len(infos) > 0 || err != nil {
			t.Errorf("List = %v, %v, want none", infos, err)
		}
	})
}

// It has again what another request gave it meanwhile.
func TestList_KeepsTheLifeThatAnotherRequestGave(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, nil)
		b := newLogin(t, store, "ada")
		late := b.copy()
		b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
			s.AddFlash("hello")
			if err := s.Save(r, w); err != nil {
				t.Error(err)
			}
		})
		late.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
			b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
				s.Flashes()
				if err := errors.Join(store.Remember(r, s, 2*time.Hour), s.Save(r, w)); err != nil {
					t.Error(err)
				}
			})
			s.Flashes()
			if err := errors.Join(store.Remember(r, s, 24*time.Hour), s.Save(r, w)); !errors.Is(err, session.ErrConflict) {
				t.Errorf("Save: %v, want ErrConflict", err)
			}
		})
		time.Sleep(time.Hour)
		if infos, err := store.List(t.Context(), "ada"); len(infos) != 1 || err != nil {
			t.Errorf("List = %v, %v, want one session", infos, err)
		}
		b.wantValue(store, "user", "ada")
	})
}

// A shorter idle timeout begins with the save that gives it, in the list, too: the
// session would be dropped from it at the user's next login.
func TestList_KeepsASessionThatWasGivenAShorterLife(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, nil)
		store.Options(ginsessions.Options{Path: "/", MaxAge: 86400})
		b := newLogin(t, store, "ada")
		b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
			time.Sleep(25 * time.Minute)
			if err := errors.Join(store.Remember(r, s, 10*time.Minute), s.Save(r, w)); err != nil {
				t.Error(err)
			}
		})
		newLogin(t, store, "ada")
		if infos, err := store.List(t.Context(), "ada"); len(infos) != 2 || err != nil {
			t.Errorf("List = %v, %v, want two sessions", infos, err)
		}
		b.wantValue(store, "user", "ada")
	})
}

// A save that changes the session's timeouts leaves what other requests wrote down
// of it meanwhile.
func TestList_KeepsWhatOtherRequestsSaid(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, nil)
		b := loginWith(t, store, "ada", "phone")
		late := b.copy()
		late.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
			time.Sleep(6 * time.Minute)
			b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
				if err := errors.Join(store.Label(r, s, "laptop"), store.Bind(r, s, "ada"), s.Save(r, w)); err != nil {
					t.Error(err)
				}
			})
			if err := errors.Join(store.Remember(r, s, time.Hour), s.Save(r, w)); err != nil {
				t.Error(err)
			}
		})
		infos, err := store.List(t.Context(), "ada")
		if err != nil || len(infos) != 1 {
			t.Fatalf("List = %v, %v, want one session", infos, err)
		}
		if got := infos[0]; got.Label != "laptop" || time.Since(got.LastUsed) > time.Minute {
			t.Errorf("the session is %q, used %v ago, want laptop, used just now", got.Label, time.Since(got.LastUsed))
		}
	})
}

// A save is a use: a session that it gives a shorter life, or that a request saves after
// hours, is in the list, and no other login drops it.
func TestList_HasWhatWasSavedJustNow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for name, save := range map[string]func(store *session.Store, w http.ResponseWriter, r *http.Request, s *sessions.Session) error{
			"a minute after five": func(store *session.Store, w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
				return errors.Join(store.Remember(r, s, time.Minute), s.Save(r, w))
			},
			"the same life": func(_ *session.Store, w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
				time.Sleep(14 * time.Hour)
				s.Values["k"] = 1
				return s.Save(r, w)
			},
			"two hours after many": func(store *session.Store, w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
				if err := errors.Join(store.Remember(r, s, 48*time.Hour), s.Save(r, w)); err != nil {
					return err
				}
				time.Sleep(12 * time.Hour)
				return errors.Join(store.Remember(r, s, 2*time.Hour), s.Save(r, w))
			},
		} {
			_, store := newStore(t, &session.Options{IdleTimeout: 15 * time.Hour, AbsoluteTimeout: 100 * time.Hour})
			if name != "the same life" {
				_, store = newStore(t, nil)
			}
			b := newLogin(t, store, "ada")
			time.Sleep(5*time.Minute - time.Second) // longer would be written down by the next
			b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
				if err := save(store, w, r, s); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
			if name == "the same life" {
				time.Sleep(2 * time.Hour)
			}
			if infos, err := store.List(t.Context(), "ada"); len(infos) != 1 || err != nil {
				t.Errorf("%s: List = %v, %v, want one session", name, infos, err)
			}
			newLogin(t, store, "ada")
			b.wantValue(store, "user", "ada")
		}
	})
}
