// Package binary is a memcached client that speaks the binary protocol with
// SASL authentication. It is imported under the name memcached:
//
//	import memcached "github.com/bmemcached/bmemcached-go/binary"
//
// A [Client] is made once and shared by every goroutine of a program:
//
//	client, err := memcached.New([]string{"cache-1:11211", "cache-2:11211"}, &memcached.Options{
//		Auth: sasl.Auto(os.Getenv("MEMCACHED_USERNAME"), os.Getenv("MEMCACHED_PASSWORD")),
//	})
//	…
//	item, err := client.Get(ctx, "user:42")
//
// # Answers and faults
//
// The answers of a healthy server are bare sentinels: [ErrCacheMiss],
// [ErrNotStored] and [ErrCASConflict] can be compared with == or errors.Is.
// Everything else is an [*OpError], which names the operation and the server
// and wraps the cause: [ErrUnavailable] when a server could not be used,
// [ErrAuth] when it refused the credentials, [ErrTooLarge] and so on, a
// [*StatusError] for what the server said, or the context's error.
//
// # Connections
//
// The client holds a few connections per server ([Options.MaxConns]). While
// there are fewer operations than connections each operation has a connection
// to itself; above that, operations are pipelined together on one connection,
// which is what carries the throughput of hundreds of goroutines. A response is
// matched to its request by the opaque of its header and by its opcode; any
// mismatch closes the connection, so a value can never be delivered for
// another key.
//
// Every operation is limited by its context and by [Options.Timeout]. Leaving
// early costs the connection nothing: the late response is recognised and
// dropped.
package binary
