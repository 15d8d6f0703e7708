// Package middleware is a shared HTTP cache (RFC 9111) for gin and net/http, with
// its entries in memcached.
//
//	client, err := memcached.New([]string{"localhost:11211"}, nil)
//	cache, err := middleware.New(client, &middleware.Options{TTL: time.Minute})
//	router.GET("/articles/:id", cache.Handler(), showArticle)        // gin
//	mux.Handle("GET /articles/{id}", cache.Wrap(showArticleHandler)) // net/http
//
// Responses are stored and reused as Cache-Control, Expires, Vary, ETag and the
// other fields of HTTP caching say; [Options.TTL] is the lifetime of responses that
// say nothing. A hit is one round trip to memcached.
//
// Concurrent requests for the same missing page run the handler once, in all
// processes that use the same memcached. A request that waits for the run of another
// keeps its deadline: when it is over, its handler is asked. One that is cancelled gets
// a 503. Concurrent requests for the same stored
// page join lookups: a request that comes while the page is being looked up waits
// for the next lookup, together with all others that came meanwhile. So a hot page
// does not cost its server a round trip for each visitor. Pages with variants or
// tags are looked up for each request.
//
// These responses are not stored: those on which anybody sets a cookie, those with
// Cache-Control: private or no-store, those to requests with Authorization,
// Proxy-Authorization or X-Api-Key unless they have Cache-Control: public, s-maxage or
// must-revalidate, which mark them as public (RFC 9111, section 3.5), and those of
// handlers that touched a session of this module's package session. A response is
// stored when it is complete, or not at all.
//
// Options.TTL stores pages for visitors with cookies, too: most cookies say nothing
// about the page. Where one does, see "Visitors" below.
//
// The cache never breaks the site. When memcached is down, slow or full of garbage,
// the handler runs after at most [Options.LookupTimeout]. Streams pass through at
// once.
//
// # What tells pages apart
//
// The key consists of the scheme (whether the connection has TLS, and the http or
// https that X-Forwarded-Proto names), Host, path and query, and the request fields
// that the response's Vary names. [Options.Key] may leave parameters out, which the
// handler then does not see either, and add to the key. A part of the path that a
// layer above has taken away, as http.StripPrefix does, counts. Hosts are compared
// without the port that the scheme implies.
//
// A handler whose response depends on any other field must say so in Vary, or mark
// the response private; otherwise the next visitor gets what was made for this one.
// Accept-Language, X-Forwarded-For and X-Real-Ip (gin's ClientIP) are examples, and
// HX-Request, for which handlers of htmx send a part of the page.
// A response with Content-Encoding varies on Accept-Encoding, said or not.
//
// Some fields tell programs of another host, port, scheme, path or method:
// Forwarded, X-Forwarded-Host, X-Forwarded-Port, X-Forwarded-Prefix,
// X-Original-Url, X-Rewrite-Url, X-Http-Method-Override and their like. Whoever can
// set them could poison the cache. They are not in the key, and the cache removes
// them from the request that the handler sees. Vary lets such a field through, once
// the cache has seen a response of the page that names it; that first response is
// made without the field. Middleware above the cache sees all fields, and may turn
// one into Host or a field of its own. Requests that bypass the cache keep theirs.
//
// No such list is complete. A site that wants to be sure names the fields that its
// handlers need in [Options.RequestFields], and has the proxy in front remove what
// clients have no business to send. A request whose Connection field names others of
// its fields bypasses the cache. Several lines of one field are one line for the
// handler. c.Negotiate of gin, huma and gqlgen answer by Accept and do not set Vary: add
// c.Header("Vary", "Accept"), or a layer below the cache that does.
//
// # Visitors
//
// The cache ignores the Cookie field of a request. A handler whose response depends
// on a cookie must say Vary: Cookie or Cache-Control: private, or touch its session
// through package session. [Options.PersonalCookies] is for sites that cannot promise
// that of every handler: requests with the cookie of the login bypass the cache, and
// everybody else gets stored pages. Sessions that are too long for one cookie come in
// numbered pieces, which are seen by the name of the whole. [Options.PersonalFields] does
// the same for request fields by which a site knows its visitors, such as a token of its
// own. A client that shows a TLS certificate says by it who it is: its requests bypass the
// cache. Where the certificate is that of a proxy, [Options.IgnoreClientCertificates] says
// so.
//
// Middleware above the cache may look at the session of everybody, to know who is logged
// in. Name the session's cookie in PersonalCookies: then visitors who have none get
// stored pages, also those for which somebody looked for their session and found none.
// The sessions may be those of gin-contrib/sessions, gorilla/sessions, scs and package
// session. A response with which a session begins, for a token against CSRF or a message,
// is its visitor's. Where middleware says Vary: Cookie, as scs does, other cookies make
// variants unless NeutralCookies names them.
//
// A response on which anybody sets a cookie is its visitor's alone: the handler, a
// session above the cache, or middleware that waits for the first byte. When
// middleware above has set one before the cache is asked, as protection against CSRF
// does for new visitors, the request bypasses the cache. [Options.NeutralCookies] names
// those that do not matter, such as a note of consent.
//
// # Other middleware
//
// Middleware above the cache sees every request, and its fields are live on hits: CORS,
// request IDs, compression, ETags. Middleware below runs when the handler does, and its
// fields are stored. Whatever anybody puts into the header while the handler runs
// reaches the client and counts as the handler's, also through a writer that was kept
// from above the cache. Writers above get the calls that they would get without the
// cache, in the same order. A handler that states another status after the first byte
// has failed, and its response is not stored. A router below the cache does not run on
// hits: then middleware above finds no r.Pattern. A page that repeats the nonce which
// middleware above has put into Content-Security-Policy is not stored.
//
// Middleware above that holds the whole response back and sets a cookie only when the
// handlers have returned is out of the cache's sight. So is what stands above middleware
// that gives those below a header of their own, as http.TimeoutHandler and
// gin-contrib/timeout do: the cache sees neither a cookie nor the Vary of protection
// against CSRF or of sessions above them. Use the timeout above these, or below the cache
// and directly so, or mark such pages private: the Vary that comes out of it replaces
// that of layers between it and the cache. gin-contrib/gzip belongs above the cache:
// below, it takes the handler's Vary from the responses that it does not compress.
//
// echo answers the errors that its handlers return when its middleware has returned: they
// are not stored, and StaleIfError covers them only where middleware below the cache has
// c.Error answer them.
//
// # Requests that ask for the handler
//
// Browsers that reload send Cache-Control: no-cache or max-age=0, and the cache asks the
// handler, as RFC 9111 wants it. Such requests for one response share runs of the handler:
// those that come while it runs for one of them wait for the next run, which begins when
// that one ends, or a second later if it takes longer. So they cost one run after the
// other in each process, and nobody gets what was made before his request came.
// [Options.IgnoreRequestDirectives] answers them from the cache. A request with max-age and
// without max-stale gets nothing stale, unless the handler fails.
//
// Other requests have a run each, because their response may be theirs alone or cannot be
// given to others: those with credentials, for pages that are not marked public, with
// no-store, Upgrade, If-Match or If-Unmodified-Since, and those with HEAD or for a range
// that ask for the handler. A site that must bound them has a limit for each client above the
// cache.
//
// # Seeing what happens
//
// Every response has a Cache-Status field (RFC 9211):
//
//	hit; ttl=59                       stored, and fresh for 59 more seconds
//	hit; ttl=-3; detail=stale         stored, stale for 3 seconds, and sent anyway
//	fwd=uri-miss; stored              made by the handler, and stored once it is complete
//	fwd=uri-miss; collapsed           made by the handler for another request
//	fwd=uri-miss; detail=private      made by the handler; the reason why it is not stored
//	fwd=vary-miss; stored             the page was stored, but not in this variant
//	fwd=stale; …                      the stored response was stale; the handler was asked
//	fwd=stale; detail=stale-if-error  the handler failed, and the stored response was sent
//	fwd=partial                       a range of a page that is not stored
//	fwd=request                       the request's Cache-Control wants it so
//	fwd=method, fwd=bypass            not for the cache
//
// A reason is the name of a field or directive that forbids storing, or one of these:
//
//	no-freshness            it states no lifetime, and there is no TTL for its status
//	already-stale, stream   it is too old, or of the type text/event-stream
//	lifetime                Options.Lifetime says so
//	hit-for-miss            the last response was not for others, so that nobody waits
//	not-shared              it waited for a response that was not for others
//	session                 somebody touched a session of package session
//	empty, aborted, error   nobody wrote it; gin's chain was aborted, or gin has an error
//	query                   the handler could see parameters that are not in the key
//	header, too-large       net/http would change the header; it or the body is too large
//	tags                    it has too many, or memcached did not say what was purged
//	method, range, status   of the request, or of the response: not one to store
//	contended               what it waited for was never for it
//	deadline, cancelled     its context ended while it waited for others, or before the first byte
//	unavailable             memcached did not answer
//	no-room                 it is stored, and Options.MaxRecordings is used up
//
// [Options.OnEvent] tells the same to a program, for metrics. It is told of purges, too.
//
// # Purging
//
// [Cache.Purge] makes one page unusable, in all its variants. [Cache.PurgeTags]
// does so for every page that names one of the tags in its Cache-Tag or
// Surrogate-Key field; its cost does not depend on how many there are. Both take
// effect in all processes at once, and a response that is being made meanwhile is
// not used afterwards. Tags that middleware above the cache sets count, too. With
// [Options.PathTags], [Cache.PurgeAll] and [Cache.PurgePath] do so for all pages, and
// for those below a path.
//
// [Cache.SoftPurge], [Cache.SoftPurgeTags], [Cache.SoftPurgeAll] and
// [Cache.SoftPurgePath] do the same softly: pages are stale instead of unusable, so that
// stale-while-revalidate and stale-if-error still hold, and handlers may confirm them.
//
// A successful unsafe request (POST, PUT, DELETE…) through the middleware purges its
// URL: when it is answered, when its handler has returned, and when the request has
// ended, because the change may be committed after the answer. The last of these takes
// a context that ends with the request, as that of net/http does, and comes early when
// the client leaves.
//
// # Who else uses memcached
//
// Caches with the same servers and the same [Options.Prefix] share pages, also those of
// different applications. Behind a proxy that sends two of them the same host and path,
// each gets pages of the other: give each a prefix of its own.
//
// No value in memcached has the Cookie or Authorization field or the URL of a request;
// keys are digests of them. Pages are readable there unless [Options.SealKeys] seal them.
// A value that was changed or moved is a miss, and a lock that nobody renews holds a
// request up for LookupTimeout. Processes that share pages should have about the same
// LookupTimeout: it is also how soon the owner of a lock must be seen to live.
//
// [Options.MaxRecordings] bounds the memory for bodies, also while clients do not read.
// Stored ones of up to 64 KiB do not count.
//
// # Limits
//
// A response is not cached when its handler returns without having written
// anything, aborts gin's chain or adds to gin's errors. A mere status of gin, which goes
// out when all layers are done, is cached only where none of them has a writer of its
// own. Nor is a response without Content-Length whose request ended before its handler
// returned: nobody can tell whether it is complete.
//
// A handler sees Accept-Language sorted by weight, and by name where weights are
// equal, because variants are told apart by that form. It sees Accept-Encoding
// without weights and refused codings: gzip, deflate, br and zstd first, as browsers send
// them.
//
// A 206 is never stored; ranges are cut from stored responses, but not below middleware
// that might compress the part. HEAD is answered from a stored GET.
package middleware
