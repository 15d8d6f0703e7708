package session_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
	"github.com/gorilla/sessions"
)

// copyRecords copies what is stored under one prefix to the other, as somebody
// can who writes to memcached.
func copyRecords(t *testing.T, server *memcachedtest.Server, from, to string) {
	t.Helper()
	copied := 0
	for _, key := range server.Keys() {
		if rest, ok := strings.CutPrefix(key, from); ok {
			item, _ := server.Item(key)
			server.SetItem(&memcached.Item{Key: to + rest, Value: bytes.Clone(item.Value), TTL: item.TTL})
			copied++
		}
	}
	if copied == 0 {
		t.Fatalf("nothing is stored under %q", from)
	}
}

// The shop's user "admin" is not the administration's, although both have the
// same keys and cookies of one name.
func TestAttack_RecordCopiedToAnotherPrefix(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	client := newClient(t, server)
	for name, keys := range map[string][][]byte{"signed": {authKey}, "encrypted": {authKey, blockKey}} {
		shop := storeOn(t, client, &session.Options{Prefix: "shop:"}, keys...)
		office := storeOn(t, client, &session.Options{Prefix: "office:"}, keys...)
		b, visitor := newLogin(t, shop, "admin"), newBrowser(t)
		visitor.set(shop, "cart", 1) // which no roster names
		copyRecords(t, server, "shop:", "office:")
		for _, b := range []*browser{b, visitor} {
			b.gorilla(office, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
				if len(s.Values) > 0 || !s.IsNew {
					t.Errorf("%s: the copy is a session: %v", name, s.Values)
				}
			})
		}
		b.wantValue(shop, "user", "admin")
		visitor.wantValue(shop, "cart", 1)
	}
}

func TestAttack_SCSRecordCopiedToAnotherPrefix(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	client := newClient(t, server)
	shop := scsOn(t, client, &session.Options{Prefix: "shop:"}, authKey)
	office := scsOn(t, client, &session.Options{Prefix: "office:"}, authKey)
	if err := shop.Commit(scsToken, []byte("user=admin"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	copyRecords(t, server, "shop:", "office:")
	if data, found, err := office.Find(scsToken); found || len(data) > 0 {
		t.Errorf("Find = %q, %t, %v, want nothing found", data, found, err)
	}
	wantFound(t, shop, scsToken, "user=admin")
}

// Options.Prefix of the client is as good as that of the store.
func TestAttack_RecordCopiedToAnotherPrefixOfTheClient(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	clientWith := func(prefix string) *memcached.Client {
		client, err := memcached.New([]string{server.Addr()}, &memcached.Options{DialContext: server.DialContext, Prefix: prefix})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		return client
	}
	inShop, inOffice := clientWith("shop:"), clientWith("office:")
	shop, office := storeOn(t, inShop, nil, authKey), storeOn(t, inOffice, nil, authKey)
	b, visitor := newLogin(t, shop, "admin"), newBrowser(t)
	visitor.set(shop, "cart", 1) // which no roster names
	scs := scsOn(t, inShop, nil, authKey)
	if err := scs.Commit(scsToken, []byte("user=admin"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	copyRecords(t, server, "shop:", "office:")
	for _, b := range []*browser{b, visitor} {
		b.gorilla(office, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
			if len(s.Values) > 0 || !s.IsNew {
				t.Errorf("the copy is a session: %v", s.Values)
			}
		})
	}
	if infos, _ := office.List(t.Context(), "admin"); len(infos) > 0 {
		t.Errorf("List shows the sessions of the other prefix: %v", infos)
	}
	if data, found, err := scsOn(t, inOffice, nil, authKey).Find(scsToken); found || len(data) > 0 {
		t.Errorf("Find = %q, %t, %v, want nothing found", data, found, err)
	}
	b.wantValue(shop, "user", "admin")
	visitor.wantValue(shop, "cart", 1)
	wantFound(t, scs, scsToken, "user=admin")
}

// Somebody who writes to memcached, and has this package but not the server's
// keys, makes a record under a token of his own, or puts another session's in
// its place.
func TestAttack_SCSRecordMadeByAnother(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	client := newClient(t, server)
	store, forger := scsOn(t, client, nil, authKey), scsOn(t, client, nil, keyOf("another key"))
	expiry := time.Now().Add(time.Hour)
	if err := forger.Commit("mine", []byte("user=admin"), expiry); err != nil {
		t.Fatal(err)
	}
	forged := server.Keys()[0]
	wantNotFound(t, store, "mine")

	if err := store.Commit(scsToken, []byte("user=ada"), expiry); err != nil {
		t.Fatal(err)
	}
	for _, key := range server.Keys() {
		item, _ := server.Item(key)
		server.SetItem(&memcached.Item{Key: forged, Value: bytes.Clone(item.Value)})
		if data, found, _ := store.Find("mine"); found || len(data) > 0 {
			t.Errorf("Find = %q, %t with %s in the place of the token's record, want nothing found", data, found, key)
		}
	}
	wantFound(t, store, scsToken, "user=ada")
}

// With the ID of the server's key, which a dump shows, a forgery is no session
// either, but a record that cannot be read.
func TestAttack_SCSRecordUnderTheIDOfTheKey(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	client := newClient(t, server)
	store, forger := scsOn(t, client, nil, authKey), scsOn(t, client, nil, keyOf("another key"))
	expiry := time.Now().Add(time.Hour)
	if err := store.Commit(scsToken, []byte("user=ada"), expiry); err != nil {
		t.Fatal(err)
	}
	own := server.Keys()[0]
	seen, _ := server.Item(own)
	if err := forger.Commit("mine", []byte("user=admin"), expiry); err != nil {
		t.Fatal(err)
	}
	for _, key := range server.Keys() {
		if item, _ := server.Item(key); key != own {
			item.Value = slices.Concat(seen.Value[:5], item.Value[5:]) // format and ID of the key
			server.SetItem(item)
		}
	}
	if data, found, err := store.Find("mine"); found || len(data) > 0 || err == nil {
		t.Errorf("Find = %q, %t, %v, want an error", data, found, err)
	}
}
