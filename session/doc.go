// Package session keeps the sessions of a web application in memcached: one
// store for gin-contrib/sessions and gorilla/sessions ([New]), and one for scs
// ([NewSCS]). Its security does not depend on memcached being secret.
//
//	store, err := session.New(client, nil, authKey, encryptionKey)
//	…
//	router.Use(sessions.Sessions("__Host-session", store), session.Autosave())
//
// # What is promised
//
// The cookie is the key. It carries 256 random bits, signed, and encrypted when
// an encryption key is given. The key in memcached is an HMAC of them and the
// value is sealed (AES-256-GCM) under a key derived from them, the server's key
// and the key in memcached. Whoever reads memcached finds neither sessions nor a
// way into one. Whoever can write to memcached can delete sessions, and put back
// what a record or a user's roster held before, but can neither make nor read one.
// A record that is copied to another prefix is not a session there, even if the keys
// are the same.
// All this holds for the sessions of scs, too, whose token takes the place of the
// 256 bits.
//
// What ended stays ended. A logout that answered has ended the session, whatever
// renewal ran beside it. For that a renewal leaves a forward under the old ID, for
// ten minutes, and the cookie of a session that is bound to a user leads to it in the
// user's roster, at any time. If memcached evicts the forward of a session that was
// nobody's, or one from before a change of the keys, a logout with the old cookie ends
// nothing: the renewed session lives on until it is logged out itself, or RevokeAll
// ends it. A session is created with ADD under an ID that the store drew, and
// updated with CAS, never with an unconditional write. A request that saves after
// another logged out or renewed the session gets [ErrNotFound] and stores nothing.
// IDs that are unknown, expired or evicted are never used again. Of several cookies
// of one name every one that the store signed is tried, up to eight, until one is of
// a session that is alive; a logout ends them all.
//
// Parallel requests lose nothing. A save stores what this request changed: keys
// that it left alone keep what other requests stored meanwhile. If two requests
// change one key, the later save decides. Lists of type []any, which is how
// gorilla keeps flash messages, are merged by element, and taking what another
// request has already taken gives [ErrConflict]. So a message is delivered once,
// if it is shown only after Save has succeeded; with Autosave it always is. The
// exception is a session that two requests renew at once before it is bound to a
// user: it becomes two, and both have its messages. Scs stores sessions whole:
// there the later save silently replaces what the earlier one changed.
//
// After a read that failed nothing is overwritten. The session is then empty and
// can be used; Save refuses with [ErrUnavailable], and the browser keeps its
// cookie.
//
// A browser that leaves stops nothing. Operations on memcached go on when the
// request's context is cancelled, so that what a handler did is saved and no
// error is logged for a server in good health. They keep the context's values
// and its deadline: when that has passed, the error is [ErrUnavailable] and
// context.DeadlineExceeded. They end with the client's Options.Timeout, or after
// 10 to 20 seconds where that is longer or switched off.
//
// A request that does not touch its session costs nothing, one that reads it a
// single round trip, which also rolls the idle timeout. Nothing is written and
// no cookie is set when nothing changed, nor is a cookie that is still right
// sent again. One with a MaxAge is sent again, and the session written, when a
// quarter of it has passed.
//
// What the cookie says, the session does: with gin-contrib's usual
// Options{MaxAge: 86400 * 7} it lives for a week, unless the store's timeouts were
// chosen. The cookie of an active user is sent anew, until the absolute timeout.
// [Store.Remember] gives one session a lifetime of its own ("remember me").
//
// # What an application does
//
// At login: [Store.Renew], so that an ID from before the login is worth nothing,
// and [Store.Bind], so that [Store.RevokeAll] can end all sessions of the user;
// then Save. With gin-contrib/sessions use the functions [Renew] and [Bind],
// which save at once: that package's Save does nothing unless its own methods
// changed the session.
//
// At logout: Options with MaxAge -1, then Save, and look at its error.
//
// [Store.List] shows users their sessions: when each was made and last used, and
// the label that [Store.Label] was given. [Store.Revoke] ends one of them, and
// [Store.RevokeOthers] all but one. After a change of the password: RevokeOthers
// with the [Store.Handle] of the current session, then Renew.
//
// Save before the first byte of the response; later it gives
// [ErrResponseStarted] where the writer can tell (those of gin and Private can). [Autosave] does it.
//
// A response that touched a session gets "Cache-Control: private" from Save, and
// with Autosave also if the session was only read, unless the handler set its own
// Cache-Control. [Private], around the whole site, does it for every way to use a
// session, whatever middleware stands in between; sessions of scs need it. The
// response cache of this module stores no response that touched a session. Where
// its Options.PersonalCookies name the session's cookie, a look for the session of a
// request that has no such cookie does not count: Cache-Control then has
// without-session beside private.
// Without Private it may miss one that was only read, if other middleware
// replaces the request between that of gin-contrib/sessions and the cache, and it
// does not see the sessions of scs.
//
// The session of one request is a map, and not safe for use by several
// goroutines at once. A store is.
//
// # What the server needs
//
// It has to keep versions (not memcached -C). Eviction ends sessions, so it needs
// enough memory. Options.EjectAfter of the client moves the sessions of a failing
// server to others, and so does removing the server from the list (SetServers,
// discovery). When that server comes back with what it held before, it
// brings back sessions that were ended meanwhile: leave EjectAfter at 0 where
// that matters, and restart a server before it joins again.
//
// # OWASP ASVS 5.0
//
// Every item of chapters 3.3 (cookies) and 7 (sessions):
//
//	item   what the package does                                 what the application does
//	3.3.1  Secure for TLS and for names with a prefix            names the cookie "__Host-…" or "__Secure-…"
//	3.3.2  SameSite=Lax unless told otherwise                    chooses Strict where it can
//	3.3.3  Path=/, no Domain, Secure: what "__Host-" needs       names the cookie "__Host-…"
//	3.3.4  HttpOnly; Session.ID is not the token                 -
//	3.3.5  a cookie of up to 156 bytes and its name              names it in less than 4,000
//	7.1.1  nothing                                               documents the timeouts and why
//	7.1.2  Options.MaxSessions, 100 for each user                chooses and documents it
//	7.1.3  nothing                                               documents other systems with sessions (single sign-on)
//	7.2.1  tokens are verified here, on the server               -
//	7.2.2  a token of its own for each session, no fixed secret  -
//	7.2.3  256 bits of crypto/rand for each token                -
//	7.2.4  Renew: new token, old one dead                        calls it at every authentication
//	7.3.1  Options.IdleTimeout, 20 minutes                       chooses it
//	7.3.2  Options.AbsoluteTimeout, 12 hours                     chooses it
//	7.4.1  MaxAge -1 deletes in memcached; so does expiry        looks at the error of Save
//	7.4.2  RevokeAll                                             calls Bind at login, RevokeAll when it disables the user
//	7.4.3  RevokeOthers, or RevokeAll and then Renew and Bind    offers it after a password change
//	7.4.4  nothing                                               shows a logout on every page behind the login
//	7.4.5  RevokeAll from any process; all users: new keys       offers it to administrators
//	7.5.1  nothing                                               authenticates again before it changes an account
//	7.5.2  List, Revoke, RevokeOthers                            offers them, after authentication
//	7.5.3  nothing                                               authenticates again before what is very sensitive
//	7.6.1  nothing                                               agrees on lifetimes with its identity provider
//	7.6.2  reading stores nothing and sets no cookie             logs in only whom a user's action asks it to
//
// Each item for which the package does something has a test named after it,
// TestASVS_7_2_3 and so on. For sessions of scs, the tokens, the cookies and the
// timeouts are scs's, and nothing is known of users.
package session
