// Package middleware is a shared HTTP cache (RFC 9111) for gin, with its entries
// in memcached.
//
//	client, err := memcached.New([]string{"localhost:11211"}, nil)
//	cache, err := middleware.New(client, &middleware.Options{TTL: time.Minute})
//	router.GET("/articles/:id", cache.Handler(), showArticle)
//
// Responses are stored and reused as their Cache-Control, Expires, Vary, ETag
// and the other fields of HTTP caching say; [Options.TTL] gives a lifetime to
// those that say nothing. Concurrent requests for the same missing page run the
// handler once, in all processes that share the memcached. A hit is one round
// trip. Those who want a page while it is being looked up share the next lookup,
// which begins when that one has ended, so that a hot page does not cost its
// server a round trip for each visitor; pages with variants or tags are looked up
// for each.
//
// What is private does not get in: responses with Set-Cookie, with
// Cache-Control: private or no-store, to requests with Authorization unless they
// are marked public, and responses of handlers that touched a session of this
// module's package session. A response is stored when it is complete, or not at
// all.
//
// The cache never breaks the site. When memcached is down, slow or full of
// garbage the handler runs, after at most [Options.LookupTimeout]. Streams pass
// through at once.
//
// # What tells pages apart
//
// The key is made of the scheme (whether the connection has TLS, and the http or
// https that X-Forwarded-Proto names), Host, and path and query, in the place of
// which [Options.Key] may put something else; then of the request fields that the
// response's Vary names. A handler whose response depends on any other field,
// Accept-Language, X-Forwarded-For or X-Real-Ip (gin's ClientIP) for example, must
// say so in Vary, or mark the response private: else the next visitor gets what
// was made for this one.
//
// Fields by which programs commonly learn of another host, port, scheme, path or
// method are not in the key and do not reach the handler: Forwarded,
// X-Forwarded-Host, X-Forwarded-Port, X-Forwarded-Prefix, X-Original-Url,
// X-Rewrite-Url, X-Http-Method-Override and their like. Whoever can set them could
// put a page of his choice before everyone. Vary lets such a field through, once
// the cache has seen a response of the page that names it; the first one is made
// without. Middleware above the cache sees all fields, and may make Host or a
// field of its own of them. Requests that the cache bypasses keep theirs.
//
// # Seeing what happens
//
// Every response says it in its Cache-Status field (RFC 9211):
//
//	hit; ttl=59                       stored, and fresh for 59 more seconds
//	hit; ttl=-3; detail=stale         stored and stale, and sent all the same
//	fwd=uri-miss; stored              made by the handler, and stored
//	fwd=uri-miss; collapsed           made by the handler for another request
//	fwd=uri-miss; detail=private      made by the handler, and why it was not stored
//	fwd=vary-miss; stored             there is the page, but not in this form
//	fwd=stale; …                      what was stored is stale; the handler was asked
//	fwd=request                       the request's Cache-Control wants it so
//	fwd=method, fwd=bypass            not for the cache
//
// [Options.OnEvent] tells the same to a program, for metrics.
//
// # Throwing away
//
// [Cache.Purge] makes one page unusable, in all its variants; [Cache.PurgeTags]
// every page that names one of the tags in its Cache-Tag or Surrogate-Key field,
// for the same price however many there are. Both work for all processes at
// once, and a response that is being made meanwhile is not used afterwards. A
// successful unsafe request (POST, PUT, DELETE…) through the middleware throws
// away what is stored for its URL.
//
// # Limits
//
// A handler that returns without having written anything, aborts the chain or
// adds to gin's errors is not cached; nor is a response without Content-Length
// whose request had ended when its handler returned, since nobody can tell whether
// it is whole. A handler sees Accept-Language in the order of its weights, and of
// its names where these are equal, as variants are told apart by it. A 206 is never stored; parts are cut from
// stored responses. HEAD is answered from a stored GET. The cache does not look
// into Cookie: a handler that answers differently by cookie must say Vary: Cookie
// or Cache-Control: private, or touch its session through package session.
package middleware
