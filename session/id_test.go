package session_test

import (
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/gorilla/sessions"
)

func TestUnknownIDs_AreNeverAdopted(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	id, cookie := b.id(store), b.cookie(cookieName)
	for _, key := range server.Keys() { // evicted
		if err := newClient(t, server).Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, err error) {
		if err != nil || !s.IsNew || s.ID != "" || len(s.Values) != 0 {
			t.Errorf("Get of an evicted session = %+v, %v, want a new one and no error", s, err)
		}
		s.Values["k"] = 2
		if err := s.Save(r, w); err != nil {
			t.Errorf("Save: %v", err)
		}
	})
	if b.id(store) == id || b.cookie(cookieName) == cookie {
		t.Error("the new session has the old one's ID")
	}
}

func TestIDs_AreUniqueAndOf256Bits(t *testing.T) {
	_, store := newStore(t, nil)
	seen := map[string]bool{}
	for range 1000 {
		b := newBrowser(t)
		b.set(store, "k", 1)
		id := b.id(store)
		if raw, err := base64.RawURLEncoding.DecodeString(id); err != nil || len(raw) != 32 {
			t.Fatalf("ID %q has %d bytes, %v, want 32", id, len(raw), err)
		}
		if seen[id] || seen[b.cookie(cookieName)] {
			t.Fatal("two sessions have one ID")
		}
		seen[id], seen[b.cookie(cookieName)] = true, true
	}
}
