package languages_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/integration"
)

// replicas is python-binary-memcached's plain Client and this one with Replicate,
// on the same three servers, and one client of each server.
type replicas struct {
	pair
	servers []*integration.Server
	alone   []*memcached.Client
}

func startReplicas(t *testing.T) replicas {
	t.Helper()
	var r replicas
	r.language = python.with("replicating", args{"replicate": true}, python.codec)
	var addrs []string
	for range 3 {
		server := integration.Start(t, &integration.Options{Users: r.users()})
		r.servers = append(r.servers, server)
		addrs = append(addrs, server.Addr())
		r.alone = append(r.alone, r.connect(t, server.Addr()))
	}
	r.theirs = r.open(t, addrs...)
	r.ours = r.connectWith(t, &memcached.Options{Replicate: true}, addrs...)
	return r
}

// holders is how many servers hold key.
func (r replicas) holders(t *testing.T, key string) (n int) {
	t.Helper()
	for _, c := range r.alone {
		if _, err := c.Get(t.Context(), key); err == nil {
			n++
		} else if !errors.Is(err, memcached.ErrCacheMiss) {
			t.Fatal(err)
		}
	}
	return n
}

func (r replicas) wantHolders(t *testing.T, key string, want int) {
	t.Helper()
	if n := r.holders(t, key); n != want {
		t.Errorf("%q is on %d servers, want %d", key, n, want)
	}
}

// TestReplicate has both clients keep every key on every server.
func TestReplicate(t *testing.T) {
	r := startReplicas(t)
	r.theirs.set(t, "theirs", textOf("hello"))
	r.wantHolders(t, "theirs", 3)
	r.write(t, "ours", "hello")
	r.wantHolders(t, "ours", 3)
	if got := r.theirs.get(t, "ours"); !same(got, textOf("hello")) {
		t.Errorf("they read %s, want hello", short(got))
	}
	var text string
	if r.read(t, "theirs", &text); text != "hello" {
		t.Errorf("this client reads %q, want hello", text)
	}
	// A client without Replicate on the same servers does not.
	single := pair{python, r.theirs, r.connect(t, r.servers[0].Addr(), r.servers[1].Addr(), r.servers[2].Addr())}
	single.write(t, "single", "hello")
	r.wantHolders(t, "single", 1)

	for _, want := range []string{"10", "15"} {
		if got := r.theirs.number(t, "incr", "counter", 5, 10); got != want {
			t.Errorf("their incr = %s, want %s", got, want)
		}
	}
	if n, err := r.ours.Increment(t.Context(), "counter", 7); n != 22 || err != nil {
		t.Errorf("Increment = %d, %v, want 22", n, err)
	}
	for i, c := range r.alone {
		if item, err := c.Get(t.Context(), "counter"); err != nil || string(item.Value) != "22" {
			t.Errorf("server %d: the counter = %v, %v, want 22", i, item, err)
		}
	}
	if err := r.ours.Delete(t.Context(), "theirs"); err != nil {
		t.Errorf("Delete of theirs = %v", err)
	}
	r.wantHolders(t, "theirs", 0)
	if !r.theirs.done(t, "delete", args{"key": "ours"}) {
		t.Error("their delete of ours was refused")
	}
	r.wantHolders(t, "ours", 0)
}

// TestReplicate_ServerDown has both clients find keys whose first server is gone,
// and each what the other stores meanwhile.
func TestReplicate_ServerDown(t *testing.T) {
	r := startReplicas(t)
	store := func(word string) {
		for i := range 8 { // several, so that they would be on different servers otherwise
			r.theirs.must(t, "set", args{"key": fmt.Sprint("theirs", i), "value": textOf(word)}, nil)
			r.write(t, fmt.Sprint("ours", i), word)
		}
	}
	check := func(word string) {
		for i := range 8 {
			if got := r.theirs.get(t, fmt.Sprint("ours", i)); !same(got, textOf(word)) {
				t.Errorf("they read %s, want %s", short(got), word)
			}
			var text string
			if r.read(t, fmt.Sprint("theirs", i), &text); text != word {
				t.Errorf("this client reads %q, want %s", text, word)
			}
		}
	}
	store("before")
	r.servers[0].Kill()
	check("before")
	store("after")
	check("after")
}
