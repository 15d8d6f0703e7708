package session

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// An attacker knows this package, a token of his choice, the key that its record
// has, and the ID of the server's key, which every record shows. He does not know
// a server's key, and what he seals under all that he knows is not a session.
func TestSCS_NothingPublicSealsASession(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	client, err := memcached.New([]string{server.Addr()}, &memcached.Options{DialContext: server.DialContext, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	store, err := NewSCS(client, &Options{Logger: slog.New(slog.DiscardHandler)}, testKey)
	if err != nil {
		t.Fatal(err)
	}
	const token = "token-of-the-attackers-choice"
	plain := append(binary.AppendVarint(nil, time.Now().Add(time.Hour).UnixMilli()), "user=admin"...)
	own := slices.Concat([]byte(token), []byte{0}, []byte("session:"))
	for name, public := range map[string]*prf{
		"what names records of scs": scsNames, "what names records": names, "the token": newPRF(own), "nothing": newPRF(nil),
	} {
		for _, key := range []keyID{store.pairs[0].id, {}} {
			for _, label := range []string{"scs", "seal", "session", ""} {
				sealed := newSealer(public, key, label, []byte(token), store.key(token)).seal(plain)
				server.SetItem(&memcached.Item{Key: store.key(token), Value: sealed})
				data, found, err := store.Find(token)
				if found || len(data) > 0 || err != nil && !errors.Is(err, ErrDecode) {
					t.Errorf("sealed under %s, label %q: Find = %q, %t, %v, want no session", name, label, data, found, err)
				}
			}
		}
	}
}
