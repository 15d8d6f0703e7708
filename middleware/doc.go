// Package middleware is a shared HTTP cache (RFC 9111) for gin, with its entries
// in memcached.
//
//	client, err := memcached.New([]string{"localhost:11211"}, nil)
//	cache := middleware.New(client, &middleware.Options{TTL: time.Minute})
//	router.GET("/articles/:id", cache.Handler(), showArticle)
//
// Responses are stored and reused as their Cache-Control, Expires, Vary, ETag
// and the other fields of HTTP caching say; Options.TTL gives a lifetime to those
// that say nothing. Concurrent requests for the same missing page run the
// handler once, in all processes that share the memcached.
//
// What is private does not get in: responses with Set-Cookie, with
// Cache-Control: private or no-store, to requests with Authorization unless they
// are marked public, and responses of handlers that touched a session of this
// module's package session. A response is stored when it is complete, or not at
// all.
//
// The cache never breaks the site. When memcached is down, slow or full of
// garbage the handler runs, after at most Options.LookupTimeout. Streams pass
// through at once.
//
// Every response says in its Cache-Status field (RFC 9211) what happened:
//
//	Cache-Status: bmemcached; fwd=uri-miss; stored
//	Cache-Status: bmemcached; hit; ttl=59
//
// # Limits
//
// A handler that returns without having written anything, aborts the chain or
// adds to gin's errors is not cached. A 206 is never stored; parts are cut from
// stored responses. HEAD is answered from a stored GET. The cache does not look
// into Cookie: a handler that answers differently by cookie must say Vary: Cookie
// or Cache-Control: private, or touch its session through package session.
package middleware
