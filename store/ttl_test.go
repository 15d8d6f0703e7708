package store_test

import (
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/store"
)

const day = 24 * time.Hour

// wantTTL fails unless the TTL of key is want or up to slack less.
func wantTTL(t *testing.T, s libstore.StoreInterface, key string, want, slack time.Duration) {
	t.Helper()
	_, ttl, err := s.GetWithTTL(t.Context(), key)
	if err != nil || ttl > want || ttl < want-slack {
		t.Errorf("GetWithTTL(%q) = %v, %v, want %v or up to %v less", key, ttl, err, want, slack)
	}
}

func TestGetWithTTL_SaysWhatRemains(t *testing.T) {
	for name, options := range map[string][]libstore.Option{
		"plain":  nil,
		"tagged": {libstore.WithTags([]string{"t"})},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, client := start(t, nil)
				for _, s := range []libstore.StoreInterface{
					store.New(client), newTyped[string](t, client, &store.Options{Prefix: "p:"}),
				} {
					mustSet(t, s, "k", "v", append(options, libstore.WithExpiration(10*time.Minute))...)
					wantTTL(t, s, "k", 10*time.Minute, time.Second/32)
					time.Sleep(4*time.Minute + 300*time.Millisecond)
					wantTTL(t, s, "k", 6*time.Minute-300*time.Millisecond, time.Second/32)
					time.Sleep(6 * time.Minute)
					wantMiss(t, s, "k")
				}
			})
		})
	}
}

func TestGetWithTTL_ZeroOnlyWhenItNeverExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := start(t, nil)
		s := store.New(client)
		for _, tags := range [][]string{nil, {"t"}} {
			mustSet(t, s, "k", "v", libstore.WithTags(tags))
			wantTTL(t, s, "k", 0, 0)
			time.Sleep(3 * 365 * day)
			wantHit(t, s, "k", "v")
			wantTTL(t, s, "k", 0, 0)
		}
		if item, ok := server.Item("k"); !ok || item.TTL != 0 {
			t.Errorf("the server holds %+v, %v, want an item that never expires", item, ok)
		}
	})
}

func TestGetWithTTL_ForeignItemsHaveUnknownTTL(t *testing.T) {
	_, client := start(t, nil)
	for _, c := range []struct{ option, want time.Duration }{
		{0, time.Minute}, {5 * time.Second, 5 * time.Second},
	} {
		s := newStore(t, client, &store.Options{UnknownTTL: c.option})
		for _, flags := range []uint32{0, 16, 0xff00} {
			if err := client.Set(t.Context(), &memcached.Item{Key: "k", Value: []byte("v"), Flags: flags}); err != nil {
				t.Fatal(err)
			}
			wantHit(t, s, "k", []byte("v"))
			wantTTL(t, s, "k", c.want, 0)
		}
	}
}

func TestSet_NegativeTTLRemoves(t *testing.T) {
	server, client := start(t, nil)
	for _, s := range []*store.Store{store.New(client), newStore(t, client, &store.Options{Prefix: "p:"})} {
		for _, ttl := range []time.Duration{-1, -time.Second, math.MinInt64} {
			mustSet(t, s, "k", "old")
			mustSet(t, s, "k", "new", libstore.WithExpiration(ttl))
			wantMiss(t, s, "k")
			mustSet(t, s, "absent", "new", libstore.WithExpiration(ttl), libstore.WithTags([]string{"t"}))
			wantMiss(t, s, "absent")
		}
	}
	if n := server.RequestCount("SET"); n != 6 {
		t.Errorf("%d values were sent, want the 6 that were to stay a while", n)
	}
	if keys := server.Keys(); len(keys) != 1 { // the generation's counter
		t.Errorf("the server holds %q, want only the counter of the prefix", keys)
	}
}

func TestSet_NegativeTTLStillChecksTheValue(t *testing.T) {
	_, client := start(t, nil)
	s := store.New(client)
	mustSet(t, s, "k", "old")
	err := s.Set(t.Context(), "k", struct{}{}, libstore.WithExpiration(-1))
	if !errors.Is(err, store.ErrValueType) {
		t.Errorf("Set of a struct = %v, want ErrValueType", err)
	}
	wantHit(t, s, "k", "old")
}

// The server's clock has whole seconds, the stamp is finer.
func TestSet_FractionsAreExactAndTheServerKeepsItemsLonger(t *testing.T) {
	for ttl, rounded := range map[time.Duration]time.Duration{
		time.Millisecond:        3 * time.Second,
		500 * time.Millisecond:  3 * time.Second,
		1500 * time.Millisecond: 4 * time.Second,
		2900 * time.Millisecond: 5 * time.Second,
	} {
		t.Run(ttl.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, client := start(t, nil)
				s := store.New(client)
				mustSet(t, s, "k", "v", libstore.WithExpiration(ttl))
				if item, ok := server.Item("k"); !ok || item.TTL != rounded {
					t.Fatalf("the server holds %+v, %v, want it for %v", item, ok, rounded)
				}
				time.Sleep(ttl - ttl/16)
				if ttl > time.Second/8 {
					wantHit(t, s, "k", "v")
				}
				time.Sleep(ttl / 16)
				if _, ok := server.Item("k"); !ok {
					t.Fatal("the server dropped the item, so the stamp is not tested")
				}
				wantMiss(t, s, "k")
			})
		})
	}
}

func TestSet_LongTTLs(t *testing.T) {
	for name, c := range map[string]struct{ ttl, slack time.Duration }{
		"30 days":           {30 * day, time.Second},
		"30 days and 1 s":   {30*day + time.Second, time.Second},
		"60 days":           {60 * day, time.Second},
		"400 days":          {400 * day, 8 * time.Second},
		"10 years":          {3650 * day, 1024 * time.Second},
		"the longest there": {math.MaxInt64, 100 * 365 * day},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, client := start(t, nil)
				s := store.New(client)
				for _, tags := range [][]string{nil, {"t"}} {
					mustSet(t, s, "k", "v", libstore.WithExpiration(c.ttl), libstore.WithTags(tags))
					wantTTL(t, s, "k", c.ttl, c.slack)
					if c.ttl > 20*365*day {
						continue
					}
					time.Sleep(c.ttl / 2)
					wantTTL(t, s, "k", c.ttl-c.ttl/2, c.slack)
					time.Sleep(c.ttl/2 - 2*c.slack)
					wantHit(t, s, "k", "v")
					time.Sleep(2 * c.slack)
					wantMiss(t, s, "k")
				}
			})
		})
	}
}

// Whenever in a second of the server's clock a value is set, it is there until its
// deadline, and not after.
func TestSet_TTLIsExact(t *testing.T) {
	for name, options := range map[string][]libstore.Option{
		"plain":  nil,
		"tagged": {libstore.WithTags([]string{"t"})},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, client := start(t, nil)
				for _, s := range []*store.Store{store.New(client), prefixed(t, client, "p:")} {
					for _, ttl := range []time.Duration{500 * time.Millisecond, time.Second, 1700 * time.Millisecond, 5 * time.Second} {
						for _, late := range []time.Duration{0, 300 * time.Millisecond, 950 * time.Millisecond} {
							time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second + late)))
							mustSet(t, s, "k", int64(1), append(options, libstore.WithExpiration(ttl))...)
							mustSet(t, s, "n", int64(1), append(options, libstore.WithExpiration(ttl))...)
							if _, err := s.Increment(t.Context(), "n", 1); err != nil {
								t.Fatal(err)
							}
							mustSet(t, s, "touched", int64(1), options...)
							if err := s.Touch(t.Context(), "touched", ttl); err != nil {
								t.Fatal(err)
							}
							time.Sleep(ttl - 50*time.Millisecond)
							wantHit(t, s, "k", int64(1))
							wantHit(t, s, "n", int64(2))
							wantHit(t, s, "touched", int64(1))
							time.Sleep(50 * time.Millisecond)
							wantMiss(t, s, "k")
							wantMiss(t, s, "n")
							wantMiss(t, s, "touched")
						}
					}
				}
				// The clock of a real server can advance by two seconds at once.
				mustSet(t, store.New(client), "k", "v", libstore.WithExpiration(3*time.Second))
				server.Advance(time.Second)
				time.Sleep(3*time.Second - 50*time.Millisecond)
				wantHit(t, store.New(client), "k", "v")
			})
		})
	}
}

// So that other clients read them and the server counts in them.
func TestSet_BytesStayRawWhateverTheTTL(t *testing.T) {
	server, client := start(t, nil)
	s := store.New(client)
	for _, ttl := range []time.Duration{0, time.Millisecond, 1500 * time.Millisecond, time.Hour, 3650 * day, math.MaxInt64} {
		for _, value := range []any{[]byte("v"), "v"} {
			mustSet(t, s, "k", value, libstore.WithExpiration(ttl))
			if item, ok := server.Item("k"); !ok || string(item.Value) != "v" {
				t.Errorf("TTL %v: the server holds %+v, want the bytes as they are", ttl, item)
			}
		}
		mustSet(t, s, "n", int64(41), libstore.WithExpiration(ttl))
		if n, err := client.Increment(t.Context(), "n", 1); err != nil || n != 42 {
			t.Errorf("TTL %v: Increment = %d, %v, want 42", ttl, n, err)
		}
		if ttl == 0 || ttl > time.Second {
			wantHit(t, s, "n", int64(42))
		}
	}
}
