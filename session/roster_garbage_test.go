package session_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
)

// rosterOn returns the one roster that the server holds.
func rosterOn(t *testing.T, server *memcachedtest.Server) *memcached.Item {
	t.Helper()
	for _, key := range server.Keys() {
		if strings.Contains(key, "user:") {
			item, _ := server.Item(key)
			return item
		}
	}
	t.Fatal("there is no roster")
	return nil
}

// A roster that cannot be read is one without sessions: those of the user have
// ended, the next login makes it anew, and nothing that was in it comes back, what
// was revoked before neither.
func TestRoster_ThatCannotBeReadIsAnEmptyOne(t *testing.T) {
	for name, spoil := range map[string]func(value []byte) []byte{
		"empty":           func([]byte) []byte { return nil },
		"one byte":        func([]byte) []byte { return []byte("x") },
		"zeros":           func(v []byte) []byte { return make([]byte, len(v)) },
		"cut short":       func(v []byte) []byte { return v[:len(v)-1] },
		"altered":         func(v []byte) []byte { v[len(v)-1] ^= 1; return v },
		"a newer format":  func(v []byte) []byte { v[0] = 0x7f; return v },
		"another key's":   func(v []byte) []byte { v[1] ^= 1; return v },
		"a record's kind": func(v []byte) []byte { v[0] = 0xf1; return v },
	} {
		t.Run(name, func(t *testing.T) {
			server := memcachedtest.Start(t, nil)
			store := storeOn(t, newClient(t, server), nil, authKey)
			phone, revoked := newLogin(t, store, "ada"), newLogin(t, store, "ada")
			handle := revoked.handle(store)
			if err := store.Revoke(t.Context(), "ada", handle); err != nil {
				t.Fatal(err)
			}
			item := rosterOn(t, server)
			item.Value = spoil(bytes.Clone(item.Value))
			server.SetItem(item)

			if infos, err := store.List(t.Context(), "ada"); len(infos) > 0 || err != nil {
				t.Errorf("List = %v, %v, want none", infos, err)
			}
			for what, err := range map[string]error{
				"Revoke":       store.Revoke(t.Context(), "ada", handle),
				"RevokeOthers": store.RevokeOthers(t.Context(), "ada", handle),
			} {
				if !errors.Is(err, session.ErrNotFound) {
					t.Errorf("%s: %v, want ErrNotFound", what, err)
				}
			}
			phone.copy().wantValue(store, "user", nil)

			laptop := newLogin(t, store, "ada")
			laptop.wantValue(store, "user", "ada")
			phone.wantValue(store, "user", nil)
			revoked.wantValue(store, "user", nil)
			if infos, err := store.List(t.Context(), "ada"); len(infos) != 1 || err != nil {
				t.Errorf("List after a login = %v, %v, want one session", infos, err)
			}
			if err := store.RevokeAll(t.Context(), "ada"); err != nil {
				t.Errorf("RevokeAll: %v", err)
			}
			laptop.wantValue(store, "user", nil)
		})
	}
}

// Somebody looks at the log: sessions do not end without a word.
func TestRoster_ThatCannotBeReadIsLogged(t *testing.T) {
	var log bytes.Buffer
	server, store := newStore(t, &session.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	b := newLogin(t, store, "ada")
	item := rosterOn(t, server)
	item.Value = []byte("x")
	server.SetItem(item)
	b.wantValue(store, "user", nil)
	if !strings.Contains(log.String(), "a user's roster cannot be read") || strings.Contains(log.String(), "ada") {
		t.Errorf("the log says %q", log.String())
	}
}
