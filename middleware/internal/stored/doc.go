// Package stored is the format of what the response cache keeps in memcached:
// entries, the chunks of large ones, the fields that select variants, locks,
// notes and tags. It knows bytes only, no memcached and no requests, and takes
// whatever memcached returns: what this cache did not write is ErrGarbage.
package stored
