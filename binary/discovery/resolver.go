package discovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Resolver finds the servers that a client is to use.
type Resolver interface {
	// Servers returns the current servers, in the syntax of memcached.New, in
	// any order. It must return when ctx ends, and must be safe for concurrent
	// use. An incomplete answer is an error: to leave a server out moves its
	// keys. The slice belongs to the caller.
	Servers(ctx context.Context) ([]string, error)
}

// ResolverFunc is a function as a Resolver.
type ResolverFunc func(ctx context.Context) ([]string, error)

// Servers calls f.
func (f ResolverFunc) Servers(ctx context.Context) ([]string, error) { return f(ctx) }

// Static is a Resolver of a list that does not change.
type Static []string

// Servers returns a copy of the list.
func (s Static) Servers(context.Context) ([]string, error) { return slices.Clone(s), nil }

// Errors that a Watcher meets besides those of its Resolver. They are wrapped:
// use errors.Is.
var (
	// ErrNoServers says that an answer named no server. It is never applied.
	ErrNoServers = errors.New("discovery: no servers found")

	// ErrTooMany says that an answer named more servers than
	// Options.MaxServers. It is never applied.
	ErrTooMany = errors.New("discovery: too many servers")

	// ErrClosed says that a Watcher has ended.
	ErrClosed = errors.New("discovery: watcher is closed")
)

// resolve asks for the servers and puts the answer into the form that clients
// get: sorted, each server once.
func resolve(ctx context.Context, r Resolver, limit int) ([]string, error) {
	servers, err := r.Servers(ctx)
	switch {
	case err != nil:
		return nil, err
	case ctx.Err() != nil:
		return nil, ctx.Err() // whatever the resolver made of it
	case len(servers) == 0:
		return nil, ErrNoServers
	}
	servers = slices.Clone(servers)
	slices.Sort(servers)
	servers = slices.Compact(servers)
	if len(servers) > limit {
		return nil, fmt.Errorf("%w: %d where Options.MaxServers is %d", ErrTooMany, len(servers), limit)
	}
	return servers, nil
}
