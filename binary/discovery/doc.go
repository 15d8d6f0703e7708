// Package discovery keeps the servers of a memcached client current while
// they come and go: pods behind a headless service, nodes of an ElastiCache or
// Memorystore cluster.
//
// [New] resolves the servers, makes a client of them and a [Watcher] that
// resolves them again and again:
//
//	resolver := discovery.DNS{Name: "memcached.default.svc.cluster.local."}
//	client, watcher, err := discovery.New(ctx, resolver, &memcached.Options{Auth: auth}, nil)
//	…
//	defer client.Close()
//	defer watcher.Close()
//
// [Watch] does the same for a client that exists.
//
// # Where servers come from
//
// A [Resolver] returns the current servers. [DNS] looks up addresses, [SRV]
// names with ports, [ElastiCache] asks a cluster's configuration endpoint, and
// [Static] is a list. Anything else, such as a file or Consul, is a function
// away: see [ResolverFunc].
//
// # When a resolver fails
//
// The client keeps what it has. An error, an answer without servers and one
// with more than Options.MaxServers never reach the client; they are logged,
// shown by [Watcher.Status], and tried again soon. Lists are sorted and freed of
// duplicates, so that all processes agree on where keys are, and the client is
// touched only when something changed. Servers that stay keep their
// connections, operations under way on the others finish (see
// memcached.Client.SetServers).
//
// # Names and addresses
//
// The client places keys by the servers' names as a resolver gives them, not by
// what those resolve to. So it matters which kind a resolver gives:
//
//   - Names stay ([SRV], [ElastiCache]): a server that comes back with another
//     address keeps its keys' place. The client resolves the name whenever it
//     makes a connection.
//   - Addresses change ([DNS], ElastiCache.Addresses): a server that comes back
//     with another address is a new one. With Ketama and n servers the share of
//     the old address moves, 1/n of all keys, and the new one takes nearly as
//     many from the others: those are misses that a name would have spared.
//     Worse, when the address returns with the memory it had, what was stored
//     elsewhere meanwhile is stale there.
//
// Where a name per server exists, such as a Kubernetes StatefulSet's, prefer it.
// Adding and removing servers moves the keys of one share in both cases with
// Ketama and its like; with placement.Gomemcache it moves nearly all.
//
// # With TLS
//
// A client with TLS believes the server whose certificate has its name. Where the
// names come from an answer that anybody on the way can forge, as those of DNS and
// of an endpoint without TLS, that says nothing, and the password goes to whoever
// forged it. So New and Watch refuse a client with TLS unless the exchange itself
// is TLS (ElastiCache.TLS), the names must be in a domain (SRV.Domain,
// ElastiCache.Domain), or one name is expected of all servers
// (memcached.Options.TLS.ServerName). What a ResolverFunc returns is believed.
//
// # Weights and order
//
// Weights are those of memcached.Options.Weights, by the name that the resolver
// gives. A server may be in it before it comes and keeps its weight when it leaves
// and comes back; one that is not in it weighs 1, and so does a server that comes
// back under another address where a resolver gives addresses. Weights in SRV records
// are not used. To change a weight, make another client.
//
// libmemcached's ketama gives a server points by its share of all weights, so with
// unequal weights the servers that stay get other points, too, and more keys move than
// the newcomer takes: when a server of weight 5 joins ten of weight 1, it takes a
// third, and nearly half of all keys move.
//
// The client gets the servers sorted by name. With a placement that depends on their
// order, as most defaults of other clients do (see package placement), the other
// side must list them in that order, too; and every server that comes or goes moves
// most keys.
package discovery
