// Package store is a memcached store for gocache
// (github.com/eko/gocache/lib/v4).
//
//	client, err := memcached.New(servers, &memcached.Options{Auth: sasl.Auto(user, password)})
//	…
//	users := cache.New[[]byte](store.New(client, libstore.WithExpiration(10*time.Minute)))
package store
