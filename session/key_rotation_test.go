package session_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
	"github.com/gorilla/sessions"
)

func TestKeyRotation(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	client := newClient(t, server)
	oldKey, newKey := keyOf("the old key"), keyOf("the new key")
	before := storeOn(t, client, nil, oldKey, blockKey)
	during := storeOn(t, client, nil, newKey, nil, oldKey, blockKey)
	after := storeOn(t, client, nil, newKey)

	b := newBrowser(t)
	b.set(before, "k", 1)
	id := b.id(before)
	oldCookie := b.copy()

	b.wantValue(during, "k", 1)
	rec := b.set(during, "k", 2)
	if len(rec.Header().Values("Set-Cookie")) != 1 {
		t.Error("the cookie was not re-issued")
	}
	if got := b.id(after); got != id {
		t.Errorf("ID after the rotation = %q, want %q", got, id)
	}
	b.wantValue(after, "k", 2)

	server.ForgetRequests()
	oldCookie.wantValue(after, "k", nil)
	if n := server.RequestCount(); n != 0 {
		t.Errorf("a cookie of a removed key caused %d requests to memcached, want 0", n)
	}
}

// Pairs may differ in the encryption key alone.
func TestKeyRotation_OfTheEncryptionKey(t *testing.T) {
	client := newClient(t, memcachedtest.Start(t, nil))
	other := []byte("another encryption key, 32 bytes")
	for name, before := range map[string][]byte{"encrypted": blockKey, "signed only": nil} {
		for _, after := range [][]byte{other, nil} {
			b := newBrowser(t)
			b.set(storeOn(t, client, nil, authKey, before), "k", 1)
			during := storeOn(t, client, nil, authKey, after, authKey, before)
			b.wantValue(during, "k", 1)
			b.set(during, "k", 2)
			b.wantValue(storeOn(t, client, nil, authKey, after), "k", 2)
			if t.Failed() {
				t.Fatalf("%s before, %d bytes of encryption key after", name, len(after))
			}
		}
	}
}

func TestKeyRotation_SaveWithoutAChangeReissues(t *testing.T) {
	client := newClient(t, memcachedtest.Start(t, nil))
	before := storeOn(t, client, nil, keyOf("old"))
	during := storeOn(t, client, nil, keyOf("new"), nil, keyOf("old"))
	after := storeOn(t, client, nil, keyOf("new"))
	b := newBrowser(t)
	b.set(before, "k", 1)
	b.gorilla(during, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		if err := s.Save(r, w); err != nil {
			t.Errorf("Save: %v", err)
		}
	})
	b.wantValue(after, "k", 1)
}

func TestKeyRotation_ReissuesOnce(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	client := newClient(t, server)
	b := newBrowser(t)
	b.set(storeOn(t, client, nil, keyOf("old")), "k", 1)
	server.ForgetRequests()
	b.gorilla(storeOn(t, client, nil, keyOf("new"), nil, keyOf("old")), func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		for range 3 {
			if err := s.Save(r, w); err != nil {
				t.Errorf("Save: %v", err)
			}
		}
	})
	if got, want := operations(server), "GAT SET+CAS"; got != want {
		t.Errorf("operations = %q, want %q", got, want)
	}
}

func TestKeyRotation_RecordLeftUnderTheOldKey(t *testing.T) {
	client := newClient(t, memcachedtest.Start(t, nil))
	before := storeOn(t, client, nil, keyOf("old"), nil, keyOf("new")) // a process not yet told of the rotation
	during := storeOn(t, client, nil, keyOf("new"), nil, keyOf("old"))
	after := storeOn(t, client, nil, keyOf("new"))
	b := newBrowser(t)
	b.set(during, "k", 1)
	b.copy().set(before, "k", 2) // seals it under the old key again
	b.gorilla(after, func(_ http.ResponseWriter, _ *http.Request, s *sessions.Session, err error) {
		if !errors.Is(err, session.ErrDecode) || len(s.Values) != 0 {
			t.Errorf("Get of a record under a removed key = %v, %v, want ErrDecode", s.Values, err)
		}
	})
	b.gorilla(during, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		if err := s.Save(r, w); err != nil {
			t.Errorf("Save: %v", err)
		}
	})
	b.wantValue(after, "k", 2)
}

// The first pair seals, all pairs open; what is sealed under a key that was
// dropped is not found.
func TestKeyRotation_SCS(t *testing.T) {
	client := newClient(t, memcachedtest.Start(t, nil))
	before := scsOn(t, client, nil, keyOf("old"), blockKey)
	during := scsOn(t, client, nil, keyOf("new"), nil, keyOf("old"), blockKey)
	after := scsOn(t, client, nil, keyOf("new"))
	expiry := time.Now().Add(time.Hour)
	for _, token := range []string{scsToken, "left"} {
		if err := before.Commit(token, []byte("1"), expiry); err != nil {
			t.Fatal(err)
		}
		wantFound(t, during, token, "1")
		wantNotFound(t, after, token)
	}
	if err := during.Commit(scsToken, []byte("2"), expiry); err != nil {
		t.Fatal(err)
	}
	wantFound(t, during, scsToken, "2")
	wantFound(t, after, scsToken, "2")
	wantNotFound(t, before, scsToken)
	wantNotFound(t, after, "left")
	if err := during.Delete("left"); err != nil {
		t.Fatal(err)
	}
	wantNotFound(t, before, "left")
}
