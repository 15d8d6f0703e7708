// Package memcached is a memcached client that speaks the binary protocol with
// SASL authentication. Its folder is named binary:
//
//	import "github.com/bmemcached/bmemcached-go/binary"
//
// A [Client] is made once and shared by every goroutine of a program:
//
//	client, err := memcached.New([]string{"cache-1:11211", "cache-2:11211"}, &memcached.Options{
//		Auth: sasl.Auto(os.Getenv("MEMCACHED_USERNAME"), os.Getenv("MEMCACHED_PASSWORD")),
//	})
//	…
//	err = client.Set(ctx, &memcached.Item{Key: "user:42", Value: data, TTL: time.Hour})
//	item, err := client.Get(ctx, "user:42")
//	if err == memcached.ErrCacheMiss { … }
//
// # Operations
//
//	read        Get, GetMulti, GetAndTouch, AppendValue
//	write       Set, SetMulti; Add and Replace, if the key is missing or there
//	change      CompareAndSwap, Append, Prepend, Touch
//	count       Increment, Decrement; IncrementOrSet and DecrementOrSet create
//	remove      Delete, DeleteMulti, CompareAndDelete, FlushAll
//	servers     SetServers, Ping, Versions, ServerStats
//	the client  Stats, Close
//
// Values are bytes. The packages below codec turn Go values into bytes and flags,
// also as clients of other languages do.
//
// # Answers and faults
//
// The answers of a healthy server are bare sentinels: [ErrCacheMiss],
// [ErrNotStored] and [ErrCASConflict] can be compared with == or errors.Is.
// Everything else is an [*OpError], which names the operation and the server
// and wraps the cause: [ErrUnavailable] when a server could not be used,
// [ErrAuth] when it refused the credentials, [ErrTooLarge] and so on, a
// [*StatusError] for what the server said, or the context's error. Operations on
// many keys or servers return what succeeded together with a [*MultiError] of
// what failed.
//
// # Order of writes
//
// A write that returned nil is not undone by an earlier one of the same client
// that failed, also when that failed because its context or [Options.Timeout]
// ended. A write that was not sent yet is taken back. While one may still be
// carried out, later writes of its key wait: until the server has answered it or
// closed its connection, or been silent for Options.Timeout once more, 10 s at most.
// Operations that run at the same time have no order.
//
// Only reads are repeated by the client when a connection is lost after they
// were sent, because the network may still deliver the first copy of a write
// after the second one and after later ones. Such a write fails instead.
// [OpError.SafeToRetry] is false then: it may have been carried out, or may be
// yet. What holds a write back for longer, and delivers it in the end, is a proxy
// or a server that was frozen; no client can take it back from there.
//
// # Time
//
// Every operation is limited by its context and by [Options.Timeout], connecting
// and authenticating included. Leaving early costs the connection nothing: the
// late response is recognised and dropped.
//
// # Connections
//
// The client connects on first use and holds a few connections per server
// ([Options.MaxConns]). While fewer than six operations are in flight on a
// server each has a connection to itself. From six on small ones are pipelined
// together on one or two, which is what carries the throughput of hundreds of
// goroutines; operations on many keys, and those that come to 1 KiB there and
// back, spread over more, up to all, instead. A response is matched to its request
// by the opaque of its header and by its opcode; any mismatch closes the
// connection, so a value can never be delivered for another key.
//
// # Several servers
//
// [Options.Distribution] says which server holds a key; the default is
// libmemcached's ketama. A server that fails costs its own keys only: they fail
// fast until it is back, or move to the others if [Options.EjectAfter] says so.
// With [Options.Replicate] every server holds every key.
//
// # Security
//
// Package sasl has the mechanisms; a plain password goes over an open network
// only if asked to explicitly. Errors, logs and traces hold neither credentials
// nor values, and keys only in fields that are named so.
//
// # Testing
//
// Package memcachedtest is a server inside the process, with a clock that can be
// set forward and failures on demand.
package memcached
