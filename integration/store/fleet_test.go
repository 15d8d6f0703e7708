package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/eko/gocache/lib/v4/cache"
	libstore "github.com/eko/gocache/lib/v4/store"
	memcachestore "github.com/eko/gocache/store/memcache/v4"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/placement"
	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/bmemcached/bmemcached-go/store"
)

// fleet is a server for old and new instances of a program.
func fleet(t *testing.T) (old *memcachestore.MemcacheStore, s *store.Store) {
	t.Helper()
	server := integration.Start(t, nil) // gomemcache cannot authenticate
	client := memcache.New(server.Addr())
	t.Cleanup(func() { client.Close() })
	return memcachestore.NewMemcache(client), store.New(connectTo(t, []string{server.Addr()}, nil))
}

func TestFleet_EachReadsWhatTheOtherWrote(t *testing.T) {
	old, s := fleet(t)
	for i, key := range []string{"k", "user:42", "h\u00e9llo", "{\"json\":1}"} {
		for _, ttl := range []time.Duration{0, time.Minute, 29 * 24 * time.Hour} {
			for _, pair := range []struct {
				name   string
				writer libstore.StoreInterface
				reader libstore.StoreInterface
			}{{"old to new", old, s}, {"new to old", s, old}} {
				value := fmt.Sprintf("%s %d %v \x00\xff", pair.name, i, ttl)
				mustSet(t, pair.writer, key, []byte(value), libstore.WithExpiration(ttl))
				for _, reader := range []libstore.StoreInterface{pair.reader, pair.writer} {
					if got, err := cache.New[[]byte](reader).Get(t.Context(), key); err != nil || string(got) != value {
						t.Errorf("%s, TTL %v: Get(%q) = %q, %v, want %q", pair.name, ttl, key, got, err, value)
					}
					if got, err := cache.New[string](reader).Get(t.Context(), key); err != nil || got != value {
						t.Errorf("%s, TTL %v: Get(%q) = %q, %v, want %q as string", pair.name, ttl, key, got, err, value)
					}
				}
				if err := pair.reader.Delete(t.Context(), key); err != nil {
					t.Errorf("%s: Delete(%q) = %v", pair.name, key, err)
				}
				wantMiss(t, pair.writer, key)
			}
		}
	}
}

func TestFleet_TTLs(t *testing.T) {
	old, s := fleet(t)
	mustSet(t, old, "old", []byte("v"), libstore.WithExpiration(time.Hour))
	if _, ttl, err := s.GetWithTTL(t.Context(), "old"); err != nil || ttl != time.Minute {
		t.Errorf("GetWithTTL of an old item = %v, %v, want the minute for what is unknown", ttl, err)
	}
	mustSet(t, s, "new", []byte("v"), libstore.WithExpiration(time.Second))
	mustSet(t, old, "old", []byte("v"), libstore.WithExpiration(time.Second))
	for _, reader := range []libstore.StoreInterface{old, s} {
		for _, key := range []string{"old", "new"} {
			eventually(t, "the end of "+key, func() bool {
				_, err := reader.Get(t.Context(), key)
				return errors.Is(err, libstore.NotFound{})
			})
		}
	}
}

// An overwritten item is the last writer's.
func TestFleet_Overwrites(t *testing.T) {
	old, s := fleet(t)
	mustSet(t, s, "k", []byte("new"), libstore.WithTags([]string{"t"}), libstore.WithExpiration(time.Hour))
	mustSet(t, old, "k", []byte("old"))
	wantHit(t, s, "k", []byte("old"))
	invalidate(t, s, "t")
	wantHit(t, s, "k", []byte("old"))
	mustSet(t, s, "k", []byte("new"))
	wantHit(t, old, "k", []byte("new"))
	if err := s.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantMiss(t, old, "k")
}

// Both must place a key on the same server.
func TestFleet_SeveralServers(t *testing.T) {
	var addrs []string
	for range 3 {
		addrs = append(addrs, integration.Start(t, nil).Addr())
	}
	oldClient := memcache.New(addrs...)
	defer oldClient.Close()
	client, err := memcached.New(addrs, &memcached.Options{Distribution: placement.Gomemcache})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	old, s := memcachestore.NewMemcache(oldClient), store.New(client)
	for i := range 200 {
		key := fmt.Sprint("key:", i)
		mustSet(t, old, key, []byte("old"))
		wantHit(t, s, key, []byte("old"))
		mustSet(t, s, key, []byte("new"))
		wantHit(t, old, key, []byte("new"))
	}
}
