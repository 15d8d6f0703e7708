// Package ring decides which server holds a key, the way other memcached
// clients do, so that services in several languages can share one set of
// servers.
//
// Everything here is a pure function of the servers' names and weights and of
// the key: no state, no clock, no network. Each constructor returns a pick
// function that maps a key to an index into the servers it was built from; it
// is safe for concurrent use, does not allocate, and costs about the same for
// one server as for a thousand. With no servers pick returns -1; with one it
// returns 0 without hashing.
//
// The algorithms hash with MD5, SHA-1 and CRC-32 because their counterparts do.
// Nothing here is a security measure. MD5 panics in a program that runs with
// GODEBUG=fips140=only; Modulo is the placement that works there.
package ring
