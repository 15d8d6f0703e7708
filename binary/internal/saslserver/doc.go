// Package saslserver is the server half of the SASL mechanisms that memcached
// with Cyrus SASL offers: PLAIN (RFC 4616), CRAM-MD5 (RFC 2195), SCRAM-SHA-1
// (RFC 5802) and SCRAM-SHA-256 (RFC 7677). The in-process test server
// authenticates with it, and the client half is tested against it.
//
// It behaves as Cyrus does inside memcached where the two differ from the
// mechanisms' own documents: a SCRAM exchange sends the server's signature as
// one more challenge and succeeds only after an empty response to it; a SCRAM
// salt is the same for every exchange of one user in one process; names and
// passwords are compared as bytes, without SASLprep; nobody may act as another
// identity than their own.
//
// It shares no code with the client, so that a mistake in one half does not
// hide behind the same mistake in the other.
package saslserver
