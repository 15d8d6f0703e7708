package session_test

import (
	"testing"

	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/bmemcached/bmemcached-go/session"
	"github.com/bmemcached/bmemcached-go/session/sessiontest"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-contrib/sessions/tester"
)

// TestStore runs the suite that also the in-process server passes: random
// interleavings, parallel requests, sizes, revocation.
func TestStore(t *testing.T) {
	for name, opts := range map[string]*integration.Options{
		"SASL":         {Users: map[string]string{username: password}},
		"TLS and SASL": {Users: map[string]string{username: password}, TLS: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := integration.Start(t, opts)
			sessiontest.Run(t, func(t *testing.T) session.Client { return connect(t, server) })
		})
	}
	t.Run("three servers", func(t *testing.T) {
		t.Parallel()
		servers := start(t, 3)
		sessiontest.Run(t, func(t *testing.T) session.Client { return connect(t, servers...) })
	})
}

// The test functions that gin-contrib/sessions publishes for stores, with
// cookies that end with the browser and with ones of a day.
func TestPublishedTester(t *testing.T) {
	client := connect(t, start(t, 1)...)
	for name, maxAge := range map[string]int{"until the browser closes": 0, "a day": 86400} {
		published := func(*testing.T) ginsessions.Store {
			store := newStore(t, client, nil, authKey)
			if maxAge != 0 {
				store.Options(ginsessions.Options{Path: "/", MaxAge: maxAge})
			}
			return store
		}
		t.Run(name, func(t *testing.T) {
			t.Run("GetSet", func(t *testing.T) { tester.GetSet(t, published) })
			t.Run("DeleteKey", func(t *testing.T) { tester.DeleteKey(t, published) })
			t.Run("Flashes", func(t *testing.T) { tester.Flashes(t, published) })
			t.Run("Clear", func(t *testing.T) { tester.Clear(t, published) })
			t.Run("Options", func(t *testing.T) { tester.Options(t, published) }) // and SameSite
			t.Run("Many", func(t *testing.T) { tester.Many(t, published) })
		})
	}
}
