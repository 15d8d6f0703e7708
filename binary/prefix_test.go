package memcached_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/placement"
)

// everyKeyedOperation calls each operation that takes keys, which begin with k.
func everyKeyedOperation(t *testing.T, client *memcached.Client) {
	t.Helper()
	ctx, large := t.Context(), make([]byte, 50_000)
	check := func(op string, err error) {
		if err != nil {
			t.Errorf("%s = %v", op, err)
		}
	}
	set(t, client, "k1", "v1")
	check("Add", client.Add(ctx, &memcached.Item{Key: "k2", Value: large}))
	check("Replace", client.Replace(ctx, &memcached.Item{Key: "k2", Value: []byte("v2")}))
	check("Append", client.Append(ctx, "k2", large))
	check("Prepend", client.Prepend(ctx, "k2", []byte("v")))
	check("Touch", client.Touch(ctx, "k2", time.Hour))
	item, err := client.GetAndTouch(ctx, "k1", time.Hour)
	if check("GetAndTouch", err); err == nil && (item.Key != "k1" || string(item.Value) != "v1") {
		t.Errorf("GetAndTouch = %q, %q", item.Key, item.Value)
	}
	check("CompareAndSwap", client.CompareAndSwap(ctx, item))
	value, _, err := client.AppendValue(ctx, nil, "k1")
	if check("AppendValue", err); string(value) != "v1" {
		t.Errorf("AppendValue = %q", value)
	}
	_, err = client.IncrementOrSet(ctx, "k-count", 1, 1, 0)
	check("IncrementOrSet", err)
	_, err = client.Decrement(ctx, "k-count", 1)
	check("Decrement", err)
	check("SetMulti", client.SetMulti(ctx, []*memcached.Item{{Key: "k3", Value: []byte("v3")}, {Key: "k4", Value: large}, {Key: "k5"}}))
	items, err := client.GetMulti(ctx, []string{"k1", "k3", "k4", "k-miss"})
	check("GetMulti", err)
	if got := slices.Sorted(maps.Keys(items)); !slices.Equal(got, []string{"k1", "k3", "k4"}) || items["k3"].Key != "k3" {
		t.Errorf("GetMulti = %q", got)
	}
	item, err = client.Get(ctx, "k3")
	if check("Get", err); err == nil {
		check("CompareAndDelete", client.CompareAndDelete(ctx, "k3", item.CAS))
	}
	check("Delete", client.Delete(ctx, "k4"))
	check("DeleteMulti", client.DeleteMulti(ctx, []string{"k5", "k-miss"}))
}

func TestPrefix_BeginsEveryKeyInMemcached(t *testing.T) {
	a, b := newServer(t, nil), newServer(t, nil)
	client := newClient(t, memcached.Options{Prefix: "app:"}, a, b)
	everyKeyedOperation(t, client)
	replicated := newClient(t, memcached.Options{Prefix: "app:", Replicate: true}, a, b)
	set(t, replicated, "k-everywhere", "v")
	wantValue(t, replicated, "k-everywhere", "v")
	if items, err := replicated.GetMulti(t.Context(), []string{"k-everywhere"}); err != nil || items["k-everywhere"] == nil {
		t.Errorf("GetMulti = %v, %v, want the item", items, err)
	}
	for _, r := range append(a.Requests(), b.Requests()...) {
		if r.Key != "" && !strings.HasPrefix(r.Key, "app:k") {
			t.Errorf("%s of %q was sent", r.Op, r.Key)
		}
	}
	put(a, "other", "v") // FlushAll does not look at the prefix
	if err := client.FlushAll(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if keys := a.Keys(); len(keys) != 0 {
		t.Errorf("after FlushAll there are %q", keys)
	}
}

func TestPrefix_ErrorsHaveTheKeysOfTheCaller(t *testing.T) {
	server := newServer(t, nil)
	client := newClient(t, memcached.Options{Prefix: strings.Repeat("p", 240)}, server)
	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		if r.Key == "" {
			return memcachedtest.Action{}
		}
		return memcachedtest.Action{Status: memcached.StatusOutOfMemory}
	})
	var op *memcached.OpError
	if err := client.Set(t.Context(), &memcached.Item{Key: "0123456789"}); !errors.As(err, &op) || op.Key != "0123456789" {
		t.Errorf("Set = %#v, want an error with the key", err)
	}
	if err := client.Set(t.Context(), &memcached.Item{Key: "0123456789a"}); !errors.Is(err, memcached.ErrMalformedKey) {
		t.Errorf("Set of 251 bytes = %v, want %v", err, memcached.ErrMalformedKey)
	}
	_, err := client.GetMulti(t.Context(), []string{"k1", "k2", "0123456789a"})
	var multi *memcached.MultiError
	if !errors.As(err, &multi) || len(multi.Errors) != 3 || multi.Errors["k1"] == nil || !errors.Is(multi.Errors["0123456789a"], memcached.ErrMalformedKey) {
		t.Errorf("GetMulti = %v, want an error for each key of the caller", err)
	}
}

// TestPrefix_Placement: libmemcached leaves the prefix out, Dalli does not.
func TestPrefix_Placement(t *testing.T) {
	servers := []*memcachedtest.Server{newServer(t, nil), newServer(t, nil), newServer(t, nil)}
	where := func(opts memcached.Options, prefix string) map[string]int {
		client := newClient(t, opts, servers...)
		for i := range 100 {
			set(t, client, fmt.Sprintf("k%d", i), "v")
		}
		placed := map[string]int{}
		for i, s := range servers {
			for _, key := range s.Keys() {
				placed[strings.TrimPrefix(key, prefix)] = i
			}
		}
		if err := client.FlushAll(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		return placed
	}
	bare := where(memcached.Options{Distribution: placement.PHPMemcached}, "")
	without := where(memcached.Options{Prefix: "app:", Distribution: placement.WithoutPrefix("app:", placement.PHPMemcached)}, "app:")
	with := where(memcached.Options{Prefix: "app:", Distribution: placement.PHPMemcached}, "app:")
	if !maps.Equal(bare, without) {
		t.Error("without the prefix keys are elsewhere than those of a client without one")
	}
	if maps.Equal(bare, with) {
		t.Error("the prefix is not a part of the placement")
	}
}
