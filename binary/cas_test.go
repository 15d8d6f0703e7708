package memcached_test

import (
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// TestWrites_ReturnTheVersion: what was written can be compared and swapped
// without reading it first.
func TestWrites_ReturnTheVersion(t *testing.T) {
	server := newServer(t, nil)
	client := newClient(t, memcached.Options{}, server)
	ctx := t.Context()
	item := &memcached.Item{Key: "k", Value: []byte("v")}
	check := func(op string, item *memcached.Item, err error) {
		t.Helper()
		got, getErr := client.Get(ctx, item.Key)
		if err != nil || getErr != nil || item.CAS == 0 || item.CAS != got.CAS {
			t.Errorf("%s of %q = %v, CAS %d, want that of Get: %v, %v", op, item.Key, err, item.CAS, got, getErr)
		}
	}
	check("Add", item, client.Add(ctx, item))
	check("Set", item, client.Set(ctx, item))
	check("Replace", item, client.Replace(ctx, item))
	check("CompareAndSwap", item, client.CompareAndSwap(ctx, item))
	check("CompareAndSwap again", item, client.CompareAndSwap(ctx, item))

	before := item.CAS
	if err := client.Add(ctx, item); err != memcached.ErrNotStored || item.CAS != before {
		t.Errorf("Add of a key that exists = %v, CAS %d, want %v and CAS %d as before", err, item.CAS, memcached.ErrNotStored, before)
	}
	if err := client.SetMulti(ctx, []*memcached.Item{item, {Key: "large", Value: make([]byte, 50_000)}}); err != nil || item.CAS != before {
		t.Errorf("SetMulti = %v, CAS %d, want nil and CAS %d as before", err, item.CAS, before)
	}
	if err := client.CompareAndSwap(ctx, item); err != memcached.ErrCASConflict {
		t.Errorf("CompareAndSwap after SetMulti = %v, want %v: the version is the one before", err, memcached.ErrCASConflict)
	}
}

// TestWrites_WithoutVersions: a server with -C has none, and replicas have
// several.
func TestWrites_WithoutVersions(t *testing.T) {
	a, b := newServer(t, &memcachedtest.Options{DisableCAS: true}), newServer(t, nil)
	for name, client := range map[string]*memcached.Client{
		"-C":         newClient(t, memcached.Options{}, a),
		"replicated": newClient(t, memcached.Options{Replicate: true}, b, newServer(t, nil)),
	} {
		item := &memcached.Item{Key: "k"}
		if err := client.Set(t.Context(), item); err != nil || item.CAS != 0 {
			t.Errorf("%s: Set = %v, CAS %d, want 0", name, err, item.CAS)
		}
	}
}
