package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/session"
)

// A memcached that restarts, empty, between the requests of a visit and within
// one of them.
func TestAttack_ServerRestarts(t *testing.T) {
	server := start(t, 1)[0]
	store := newStore(t, connect(t, server), nil, authKey)
	cookie := login(t, store, "ada")
	_, set, err := visit(store, cookie, func(_ http.ResponseWriter, _ *http.Request, values map[any]any, save func() error) {
		if values["user"] != "ada" {
			t.Errorf("user = %v, want ada", values["user"])
		}
		server.Kill()
		values["k"] = 1
		if err := save(); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("Save without a server: %v, want ErrUnavailable", err)
		}
		server.Restart()
		eventually(t, "the server", func() bool { return !errors.Is(save(), session.ErrUnavailable) })
		if err := save(); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("Save after the restart: %v, want ErrNotFound", err)
		}
	})
	if err != nil || set != nil {
		t.Errorf("Get = %v, with cookie %v, want none", err, set)
	}
	if user, _, err := visit(store, cookie, nil); user != nil || err != nil {
		t.Errorf("after the restart user = %v, %v, want a new session", user, err)
	}
	fresh := login(t, store, "bob")
	if fresh.Value == cookie.Value {
		t.Error("the login after the restart has the old cookie")
	}
	if user, _, err := visit(store, cookie, nil); user != nil || err != nil {
		t.Errorf("the old cookie is %v, %v, want a new session", user, err)
	}
}

// Whoever can write to memcached exchanges the records of two sessions, and
// puts in what is no record.
func TestAttack_RecordsExchanged(t *testing.T) {
	server := start(t, 1)[0]
	client := connect(t, server)
	spy := &keySpy{Client: client}
	store := newStore(t, spy, nil, authKey)
	ada, bob := login(t, store, "ada"), login(t, store, "bob")
	if len(spy.keys) != 2 {
		t.Fatalf("two logins wrote the keys %q", spy.keys)
	}
	first, second := get(t, client, spy.keys[0]), get(t, client, spy.keys[1])
	put(t, client, spy.keys[0], second)
	put(t, client, spy.keys[1], first)
	for name, cookie := range map[string]*http.Cookie{"ada": ada, "bob": bob} {
		if user, set, err := visit(store, cookie, nil); user != nil || set != nil || !errors.Is(err, session.ErrDecode) {
			t.Errorf("%s's session with another's record = %v, %v, cookie %v, want ErrDecode", name, user, err, set)
		}
	}
	for i, value := range [][]byte{nil, {0}, {1}, {2, 1, 2, 3}, first[:len(first)-1], append(first[:len(first):len(first)], 0), []byte("123")} {
		put(t, client, spy.keys[0], value)
		if user, _, err := visit(store, ada, nil); user != nil || !errors.Is(err, session.ErrDecode) {
			t.Errorf("record %d: user = %v, %v, want ErrDecode", i, user, err)
		}
	}
	put(t, client, spy.keys[0], first)
	if user, _, err := visit(store, ada, nil); user != "ada" || err != nil {
		t.Errorf("with its own record user = %v, %v, want ada", user, err)
	}
}

// Two applications share a server and a prefix, but no key.
func TestAttack_TwoStoresWithKeysOfTheirOwn(t *testing.T) {
	client := connect(t, start(t, 1)...)
	stores := []*session.Store{newStore(t, client, nil, authKey), newStore(t, client, nil, []byte("the other application's own key, 32 bytes"))}
	for i, own := range stores {
		cookie := login(t, own, fmt.Sprint("user of ", i))
		if user, _, err := visit(stores[1-i], cookie, nil); user != nil || err != nil {
			t.Errorf("the cookie of store %d in the other one is %v, %v, want a new session", i, user, err)
		}
		if user, _, err := visit(own, cookie, nil); user != fmt.Sprint("user of ", i) || err != nil {
			t.Errorf("store %d: user = %v, %v", i, user, err)
		}
	}
}

// keySpy knows the keys of the records that were created.
type keySpy struct {
	session.Client
	keys []string
}

func (s *keySpy) Add(ctx context.Context, item *memcached.Item) error {
	s.keys = append(s.keys, item.Key)
	return s.Client.Add(ctx, item)
}

func get(t *testing.T, client *memcached.Client, key string) []byte {
	t.Helper()
	item, err := client.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return item.Value
}

func put(t *testing.T, client *memcached.Client, key string, value []byte) {
	t.Helper()
	if err := client.Set(t.Context(), &memcached.Item{Key: key, Value: value, TTL: time.Hour}); err != nil {
		t.Fatal(err)
	}
}
