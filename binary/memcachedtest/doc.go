// Package memcachedtest is a memcached that runs inside the process, for unit
// tests, demonstrations, and machines without memcached.
//
// [Start] makes a [Server] that lasts as long as a test:
//
//	server := memcachedtest.Start(t, nil)
//	client, err := memcached.New([]string{server.Addr()}, nil)
//
// The server speaks the binary protocol, with SASL and TLS if [Options] say so,
// and answers as memcached 1.6.18 does: the same statuses and texts, the same
// oddities, and the same malformed requests that end a connection. Conversations
// recorded from the real one pin that.
//
// # Time
//
// Items expire by the server's clock, which follows time.Now and which
// [Server.Advance] sets forward. Inside a testing/synctest bubble the server
// follows the bubble's time. There it has no socket: connect with
// [Server.DialContext], or [Dialer] for several servers, which work outside of
// bubbles too.
//
//	client, err := memcached.New([]string{server.Addr()}, &memcached.Options{
//		DialContext: server.DialContext,
//	})
//
// A server made inside a bubble belongs to that bubble, and one made outside
// stays outside.
//
// # Looking inside
//
// [Server.Item], [Server.SetItem] and [Server.Keys] reach into the memory
// without a client. [Server.Requests] and [Server.RequestCount] tell what
// arrived, such as that nothing did.
//
// # Bad days
//
// [Server.Intercept] delays requests, fails them, leaves them unanswered, cuts
// or corrupts answers and drops connections. [Server.Stop] and
// [Server.Restart] take the server away and bring it back empty.
//
// # The suite for clients
//
// Package clienttest checks a client of package binary against any memcached,
// this one or a real one.
package memcachedtest
