package main

import (
	"context"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"
	rueidisstore "github.com/eko/gocache/store/rueidis/v4"
	"github.com/redis/rueidis"
)

// gocacheRueidis is gocache's store for Redis over rueidis.
const gocacheRueidis = "gocache rueidis"

// storeRueidisPeer is gocache's store over rueidis as a contestant. As with the
// client alone, it keeps no copies in the process: every other contestant asks its
// server each time.
type storeRueidisPeer struct{}

func (storeRueidisPeer) Name() string   { return gocacheRueidis }
func (storeRueidisPeer) Module() string { return "github.com/eko/gocache/store/rueidis/v4" }
func (storeRueidisPeer) onRedis()       {}

// Open gives the store an expiration, without which Redis refuses its Sets.
func (storeRueidisPeer) Open(servers []string, _ int) (Client, error) {
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: servers[:1], DisableCache: true})
	if err != nil {
		return nil, err
	}
	s := rueidisstore.NewRueidis(client, libstore.WithExpiration(time.Hour))
	return &storeClient{StoreInterface: bytesAsText{s}, close: func() error { client.Close(); return nil }}, nil
}

// bytesAsText passes bytes to a store that takes strings alone, in place.
type bytesAsText struct{ libstore.StoreInterface }

func (s bytesAsText) Set(ctx context.Context, key, value any, options ...libstore.Option) error {
	if data, ok := value.([]byte); ok {
		value = rueidis.BinaryString(data)
	}
	return s.StoreInterface.Set(ctx, key, value, options...)
}
