package session_test

import (
	"encoding/gob"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
)

func init() { gob.Register(map[string]any{}) }

type unregistered struct{ A int }

func TestGob_UnregisteredTypeFailsAndLeavesTheSessionIntact(t *testing.T) {
	for name, codec := range map[string]session.Codec{"gob": nil, "JSON": session.JSON{}} {
		server, store := newStore(t, &session.Options{Codec: codec})
		b := newBrowser(t)
		b.set(store, "k", "v")
		server.ForgetRequests()
		b.gin(store, func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Set("bad", unregistered{1})
			s.Set("k", "changed")
			if err := s.Save(); err == nil || !strings.Contains(err.Error(), "session_test.unregistered") {
				t.Errorf("%s: Save: %v, want an error with the type's name", name, err)
			}
		})
		if got := operations(server); got != "GAT" {
			t.Errorf("%s: operations = %q, want nothing but the load", name, got)
		}
		b.wantValue(store, "k", "v")
		b.wantValue(store, "bad", nil)
	}
}

func TestJSON_InASession(t *testing.T) {
	_, store := newStore(t, &session.Options{Codec: session.JSON{}})
	when := time.Date(2025, 1, 2, 3, 4, 5, 6, time.UTC)
	want := map[any]any{
		"n": int64(1<<53 + 1), "when": when, "raw": []byte{0, 1, 2}, "small": int8(1),
		"deep": map[string]any{"n": int64(1<<53 + 1), "raw": []byte{255}, "list": []any{1, 1.5, "x", nil}},
	}
	b := newBrowser(t)
	b.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		for k, v := range want {
			s.Set(k, v)
		}
		mustSave(t, s)
	})
	b.gin(store, func(c *gin.Context) {
		for k, v := range want {
			if got := ginsessions.Default(c).Get(k); !reflect.DeepEqual(got, v) {
				t.Errorf("Get(%v) = %#v, want %#v", k, got, v)
			}
		}
	})
}

func TestNewerFormat_IsADecodeError(t *testing.T) {
	changes := map[string]func(value []byte) []byte{
		"newer format":    func(v []byte) []byte { v[0] = 2; return v },
		"altered":         func(v []byte) []byte { v[len(v)-1] ^= 1; return v },
		"cut":             func(v []byte) []byte { return v[:10] },
		"empty":           func([]byte) []byte { return nil },
		"of another tool": func([]byte) []byte { return []byte(`{"user":"ada"}`) },
		"unknown key":     func(v []byte) []byte { v[1] ^= 1; return v },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			server, store := newStore(t, nil)
			b := newBrowser(t)
			b.set(store, "k", 1)
			key := server.Keys()[0]
			item, _ := server.Item(key)
			bad := change(item.Value)
			server.SetItem(&memcached.Item{Key: key, Value: bad})
			b.gin(store, func(c *gin.Context) {
				s := ginsessions.Default(c)
				if got := s.Get("k"); got != nil {
					t.Errorf("Get(k) = %v, want nil", got)
				}
				s.Set("k", 2)
				if err := s.Save(); !errors.Is(err, session.ErrDecode) {
					t.Errorf("Save: %v, want ErrDecode", err)
				}
				if err := session.Bind(c, "ada"); !errors.Is(err, session.ErrDecode) {
					t.Errorf("Bind: %v, want ErrDecode", err)
				}
			})
			if now, _ := server.Item(key); string(now.Value) != string(bad) {
				t.Error("the record was overwritten")
			}
			if b.cookie(cookieName) == "" {
				t.Error("the cookie is gone")
			}
			renewed := b.copy()
			renewed.gin(store, func(c *gin.Context) {
				if err := session.Renew(c); err != nil {
					t.Errorf("Renew: %v", err)
				}
				s := ginsessions.Default(c)
				s.Set("k", 3)
				mustSave(t, s)
			})
			renewed.wantValue(store, "k", 3)

			server.SetItem(&memcached.Item{Key: key, Value: bad})
			if err := b.logout(store); err != nil {
				t.Errorf("logout: %v", err)
			}
			if _, there := server.Item(key); there {
				t.Error("the record is still there after a logout")
			}
		})
	}
}

// upperCase is a codec that an application might bring.
type upperCase struct{ fail bool }

func (u upperCase) Encode(v any) ([]byte, error) { return []byte(strings.ToUpper(v.(word).s)), nil }

func (u upperCase) Decode(data []byte) (any, error) {
	if u.fail {
		return nil, errors.New("no such word")
	}
	return word{string(data)}, nil
}

type word struct{ s string }

func TestCodec_OfTheApplication(t *testing.T) {
	server, store := newStore(t, &session.Options{Codec: upperCase{}})
	b := newBrowser(t)
	b.set(store, "k", word{"hi"})
	b.wantValue(store, "k", word{"HI"})
	b.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		for n := range 100 {
			s.Set(n, n)
		}
		mustSave(t, s)
	})
	failing := storeOn(t, newClient(t, server), &session.Options{Codec: upperCase{fail: true}}, authKey)
	b.gin(failing, func(c *gin.Context) {
		s := ginsessions.Default(c)
		for n := range 100 {
			if got := s.Get(n); got != nil {
				t.Fatalf("Get(%d) = %v, want nil: half a session is none", n, got)
			}
		}
		s.Set("l", 1)
		if err := s.Save(); !errors.Is(err, session.ErrDecode) {
			t.Errorf("Save of what cannot be decoded: %v, want ErrDecode", err)
		}
	})
	b.wantValue(store, "k", word{"HI"})
}

func TestNewerFormat_WrittenWhileTheRequestRan(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	key := server.Keys()[0]
	b.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.Set("k", 2)
		server.SetItem(&memcached.Item{Key: key, Value: []byte("\x02 of a newer version of the program")})
		for range 2 {
			if err := s.Save(); !errors.Is(err, session.ErrDecode) {
				t.Errorf("Save: %v, want ErrDecode", err)
			}
		}
	})
	if item, _ := server.Item(key); item.Value[0] != 2 {
		t.Error("the newer record was overwritten")
	}
}
