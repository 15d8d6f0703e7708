package languages_test

import (
	"errors"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/codec"
)

// with the clients which store nothing but bytes.
func everyone() []language { return append(all(), append(textClients(), tools, memjs)...) }

// untyped says whether the language's client stores nothing but bytes.
func (l language) untyped() bool {
	_, raw := l.codec.(codec.Raw)
	return raw
}

// hello is stored by all of them, as text where they have it.
func (p pair) hello() value {
	if p.untyped() {
		return bytesOf([]byte("hello"))
	}
	return textOf("hello")
}

func (p pair) ourHello() any {
	if p.untyped() {
		return []byte("hello")
	}
	return "hello"
}

// wantMiss fails the test if this client finds key.
func (p pair) wantMiss(t *testing.T, key string) {
	t.Helper()
	if _, err := p.ours.Get(t.Context(), key); !errors.Is(err, memcached.ErrCacheMiss) {
		t.Errorf("Get(%q) = %v, want ErrCacheMiss", key, err)
	}
}

// TestDelete has each client delete what the other stored.
func TestDelete(t *testing.T) {
	each(t, everyone(), func(t *testing.T, p pair) {
		p.write(t, "ours", p.ourHello())
		if !p.theirs.done(t, "delete", args{"key": "ours"}) {
			t.Error("their delete of ours was refused")
		}
		p.wantMiss(t, "ours")
		p.theirs.set(t, "theirs", p.hello())
		if err := p.ours.Delete(t.Context(), "theirs"); err != nil {
			t.Errorf("Delete of theirs = %v", err)
		}
		if got := p.theirs.get(t, "theirs"); got != nil {
			t.Errorf("they read %s, want a miss", short(got))
		}
		if err := p.ours.Delete(t.Context(), "theirs"); !errors.Is(err, memcached.ErrCacheMiss) {
			t.Errorf("Delete once more = %v, want ErrCacheMiss", err)
		}
	})
}

// TestAdd has each client add what the other has stored.
func TestAdd(t *testing.T) {
	each(t, everyone(), func(t *testing.T, p pair) {
		p.write(t, "ours", p.ourHello())
		if p.theirs.done(t, "add", args{"key": "ours", "value": bytesOf([]byte("other"))}) {
			t.Error("their add replaced ours")
		}
		if !p.theirs.done(t, "add", args{"key": "theirs", "value": p.hello()}) {
			t.Error("their add was refused")
		}
		if err := p.ours.Add(t.Context(), &memcached.Item{Key: "theirs"}); !errors.Is(err, memcached.ErrNotStored) {
			t.Errorf("Add over theirs = %v, want ErrNotStored", err)
		}
		if got := p.theirs.get(t, "theirs"); !same(got, p.hello()) {
			t.Errorf("they read %s, want %s", short(got), short(p.hello()))
		}
	})
}

// TestAppend has each client that can lengthen what the other stored as plain
// bytes.
func TestAppend(t *testing.T) {
	rawRuby := ruby.with("raw", args{"raw": true}, ruby.codec)
	plain := []language{pylibmc, pymemcache, npmMemcached, memjs, rawRuby, java, php, pythonMemcached, perl, perlFast, rawRuby.newer(), php.newer()}
	each(t, plain, func(t *testing.T, p pair) {
		if err := p.ours.Set(t.Context(), &memcached.Item{Key: "k", Value: []byte("a")}); err != nil {
			t.Fatal(err)
		}
		if !p.theirs.done(t, "append", args{"key": "k", "value": textOf("b")}) {
			t.Error("their append was refused")
		}
		if err := p.ours.Append(t.Context(), "k", []byte("c")); err != nil {
			t.Errorf("Append = %v", err)
		}
		if got := string(p.theirs.get(t, "k").content()); got != "abc" {
			t.Errorf("they read %q, want abc", got)
		}
	})
}

// TestCompareAndSwap has each client notice that the other wrote in between.
func TestCompareAndSwap(t *testing.T) {
	each(t, all(), func(t *testing.T, p pair) {
		p.write(t, "k", "ours")
		var found struct {
			Value *value
			CAS   string
		}
		p.theirs.must(t, "gets", args{"key": "k"}, &found)
		item, err := p.ours.Get(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		if !p.theirs.done(t, "cas", args{"key": "k", "value": textOf("theirs"), "cas": found.CAS}) {
			t.Error("their cas of what nobody changed was refused")
		}
		if err := p.ours.CompareAndSwap(t.Context(), item); !errors.Is(err, memcached.ErrCASConflict) {
			t.Errorf("CompareAndSwap over theirs = %v, want ErrCASConflict", err)
		}
		p.theirs.must(t, "gets", args{"key": "k"}, &found)
		if item, err = p.ours.Get(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		if err := p.ours.CompareAndSwap(t.Context(), item); err != nil {
			t.Errorf("CompareAndSwap of what nobody changed = %v", err)
		}
		if p.theirs.done(t, "cas", args{"key": "k", "value": textOf("lost"), "cas": found.CAS}) {
			t.Error("their cas replaced ours")
		}
		if got := p.theirs.get(t, "k"); !same(got, textOf("theirs")) {
			t.Errorf("they read %s, want theirs", short(got))
		}
	})
}

// TestExpiry has each client see the other's values end, and none that was to
// stay or was touched.
func TestExpiry(t *testing.T) {
	secured := language{}.start(t, 1)
	for _, l := range everyone() {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel() // they wait most of the time
			servers := secured
			if l.noSASL {
				servers = l.start(t, 1)
			}
			pair{l, l.open(t, servers...), l.connect(t, servers...)}.expire(t)
		})
	}
}

func (p pair) expire(t *testing.T) {
	const soon, later = 8, 3600 // seconds
	p.storeFor(t, "ours, soon", soon*time.Second)
	p.wantBoth(t, "ours, soon")
	p.setFor(t, "theirs, soon", soon)
	p.wantBoth(t, "theirs, soon")
	keep := []string{"ours, 31 days", "theirs, later", "theirs, touched"}
	p.storeFor(t, "ours, 31 days", 31*24*time.Hour)
	p.setFor(t, "theirs, later", later)
	p.setFor(t, "theirs, touched", soon)
	if err := p.ours.Touch(t.Context(), p.key("theirs, touched"), later*time.Second); err != nil {
		t.Errorf("Touch of theirs = %v", err)
	}
	if !p.noTouch {
		keep = append(keep, "ours, touched")
		p.storeFor(t, "ours, touched", soon*time.Second)
		if !p.theirs.done(t, "touch", args{"key": p.key("ours, touched"), "ttl": later}) {
			t.Error("their touch of ours was refused")
		}
	}
	p.storeFor(t, "ours, last", soon*time.Second)
	for _, name := range []string{"ours, soon", "theirs, soon", "ours, last"} {
		p.wantEnd(t, name)
	}
	for _, name := range keep {
		p.wantBoth(t, name)
	}
}

// key makes a key of a description, for this pair alone.
func (p pair) key(name string) string { return memcached.SafeKey(p.name+":", name) }

func (p pair) storeFor(t *testing.T, name string, ttl time.Duration) {
	t.Helper()
	data, flags, err := p.codec.Encode(p.ourHello())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.ours.Set(t.Context(), &memcached.Item{Key: p.key(name), Value: data, Flags: flags, TTL: ttl}); err != nil {
		t.Fatal(err)
	}
}

func (p pair) setFor(t *testing.T, name string, seconds int) {
	t.Helper()
	if !p.theirs.done(t, "set", args{"key": p.key(name), "value": p.hello(), "ttl": seconds}) {
		t.Fatalf("%q: their set was refused", name)
	}
}

// wantBoth fails the test if one of the clients does not find what name says.
func (p pair) wantBoth(t *testing.T, name string) {
	t.Helper()
	if _, err := p.ours.Get(t.Context(), p.key(name)); err != nil {
		t.Errorf("%q: Get = %v", name, err)
	}
	if got := p.theirs.get(t, p.key(name)); !same(got, p.hello()) {
		t.Errorf("%q: they read %s", name, short(got))
	}
}

// wantEnd waits until neither finds what name says.
func (p pair) wantEnd(t *testing.T, name string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		_, err := p.ours.Get(t.Context(), p.key(name))
		got := p.theirs.get(t, p.key(name))
		if errors.Is(err, memcached.ErrCacheMiss) && got == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%q has not ended: Get = %v, they read %s", name, err, short(got))
			return
		}
	}
}
