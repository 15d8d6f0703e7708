package session_test

import (
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-contrib/sessions/tester"
)

// published are the functions of the test package that gin-contrib/sessions
// publishes for stores.
var published = map[string]func(t *testing.T, newStore func(*testing.T) ginsessions.Store){
	"GetSet":    func(t *testing.T, n func(*testing.T) ginsessions.Store) { tester.GetSet(t, n) },
	"DeleteKey": func(t *testing.T, n func(*testing.T) ginsessions.Store) { tester.DeleteKey(t, n) },
	"Flashes":   func(t *testing.T, n func(*testing.T) ginsessions.Store) { tester.Flashes(t, n) },
	"Clear":     func(t *testing.T, n func(*testing.T) ginsessions.Store) { tester.Clear(t, n) },
	"Options":   func(t *testing.T, n func(*testing.T) ginsessions.Store) { tester.Options(t, n) },
	"Many":      func(t *testing.T, n func(*testing.T) ginsessions.Store) { tester.Many(t, n) },
}

func TestPublishedTester(t *testing.T) {
	stores := map[string]func(*testing.T) ginsessions.Store{
		"signed":    func(t *testing.T) ginsessions.Store { return store(t, nil, authKey) },
		"encrypted": func(t *testing.T) ginsessions.Store { return store(t, nil, authKey, blockKey) },
		"JSON": func(t *testing.T) ginsessions.Store {
			return store(t, &session.Options{Codec: session.JSON{}}, authKey)
		},
		"a day": func(t *testing.T) ginsessions.Store {
			s := store(t, nil, authKey)
			s.Options(ginsessions.Options{Path: "/", MaxAge: 86400, HttpOnly: true})
			return s
		},
	}
	for storeName, newStore := range stores {
		for name, run := range published {
			t.Run(storeName+"/"+name, func(t *testing.T) { run(t, newStore) })
		}
	}
}

func store(t *testing.T, opts *session.Options, keys ...[]byte) *session.Store {
	return session.New(newClient(t, memcachedtest.Start(t, nil)), opts, keys...)
}
