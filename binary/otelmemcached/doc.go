// Package otelmemcached gives OpenTelemetry the operations and connections of a
// memcached client:
//
//	tracer, err := otelmemcached.NewTracer(nil)
//	…
//	client, err := memcached.New(servers, &memcached.Options{Tracer: tracer})
//	…
//	registration, err := otelmemcached.Observe(client, nil)
//
// It is a module of its own, so that only its users have OpenTelemetry in their
// go.mod. It follows the stable semantic conventions for databases
// (version 1.37.0).
//
// # Spans
//
// Every operation on a server is a span of kind client, named after the
// operation as the client's errors name it: "get", "set", "get_multi". The
// server is not part of the name, because there can be many. An operation on
// several servers is several spans, one for each batch.
//
//	db.system.name           memcached
//	db.operation.name        get, set, get_multi, …
//	db.operation.batch.size  the number of keys, if there are two or more
//	server.address           the host, or the path of a Unix socket
//	server.port              unless it is a socket
//	memcached.answer         miss, not_stored or cas_conflict: see below
//	error.type               what went wrong: see below
//	db.response.status_code  the status of the response that says so, as "0x82"
//
// A miss is an answer and not an error. So are the conditions of Add, Replace,
// Append and CompareAndSwap that do not hold. memcached.answer names them.
//
// What fails has the span status Error, the error's text as its description,
// and error.type: the status code if a response has one, or else "timeout" (the
// context's deadline or memcached.Options.Timeout), "canceled" (the context),
// "auth", "unavailable", "closed" (the client), or "_OTHER". When some
// keys of a multi operation fail, the type is that of one of them.
//
// Keys may hold personal data and are not recorded; with Options.RecordKeys,
// the key of an operation on one key is db.operation.parameter.key. Values are
// never recorded.
//
// # Metrics
//
// A Tracer records db.client.operation.duration, a histogram in seconds, with
// the attributes of spans but for batch size, answer and key. Its boundaries are
// those of the conventions, which begin at one millisecond; most operations are
// faster, so use a view with finer ones. The SDK keeps the series of every
// server: where addresses come and go, use a view that drops server.address and
// server.port.
//
// Observe reports what memcached.Client.Stats counts whenever metrics are
// collected:
//
//	db.client.connection.count     by db.client.connection.pool.name (the server)
//	                               and db.client.connection.state
//	memcached.client.gets          keys asked for, by memcached.result: hit, miss, failed
//	memcached.client.retries       operations that were sent a second time
//	memcached.client.dials         by server and memcached.result: connected, failed
//	memcached.client.operations    under way now, by server
//	memcached.client.server.up     1, or 0 while the server rests after a failure
//	memcached.client.server.ejected 1 while the distribution leaves the server out
//
// A connection carries several operations at once. The number of used
// connections is the number of operations, up to the number of connections.
package otelmemcached
