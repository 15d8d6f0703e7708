package session_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
)

// Whoever can write to memcached knows this package, too, but not the server's
// keys: a record that he makes under a token of his own is not a session.
func TestSCS_ForgedRecordIsNoSession(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	client, err := memcached.New([]string{server.Addr()}, &memcached.Options{Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	manager := newManager(t, client)
	site := serve(t, scsSite(manager, func() {}))

	// His own store has all that he can know: the prefix, and keys of his choice.
	forger, err := session.NewSCS(client, nil, []byte("0123456789abcdef0123456789abcdeF"))
	if err != nil {
		t.Fatal(err)
	}
	const token = "a-token-that-the-attacker-has-made-up-himself"
	expiry := time.Now().Add(time.Hour)
	forged, err := manager.Codec.Encode(expiry, map[string]any{"user": "admin"})
	if err != nil {
		t.Fatal(err)
	}
	if err := forger.Commit(token, forged, expiry); err != nil {
		t.Fatal(err)
	}
	p := newPerson(t, site)
	p.client.Jar.SetCookies(p.url(), []*http.Cookie{{Name: "session", Value: token}})
	p.want("/get?k=user", "")
	p.want("/set?k=user&v=ada", "") // and he gets a session of his own
	p.want("/get?k=user", "ada")
}
