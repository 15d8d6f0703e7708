// Package policy decides what a shared HTTP cache may store and reuse.
//
// Everything in it is a pure function of requests, header fields and a time
// that the caller passes in: RFC 9111 (caching), RFC 9110 (conditional
// requests, header fields), RFC 5861 (stale-while-revalidate, stale-if-error)
// and RFC 9213 (targeted cache control). Nothing here does I/O or looks at a
// clock.
package policy
