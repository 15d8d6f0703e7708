package languages_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/placement"
)

// asInstalled is every client with the settings that it has unless told otherwise,
// and the Distribution that README.md of package placement names for it.
func asInstalled() []language {
	defaults := args{"defaults": true}
	return []language{
		php.asInstalled(defaults, placing{"PHPMemcached", placement.PHPMemcached}),
		pylibmc.asInstalled(defaults, placing{"Pylibmc", placement.Pylibmc}),
		pymemcache.asInstalled(nil, placing{"Pymemcache", placement.Pymemcache}),
		python.asInstalled(nil, python.place),
		ruby.asInstalled(nil, ruby.place),
		java.asInstalled(defaults, placing{"Spymemcached", placement.Spymemcached}),
		memjs.asInstalled(nil, memjs.place),
		npmMemcached.asInstalled(nil, npmMemcached.place),
		tools.asInstalled(nil, placing{"Pylibmc", placement.Pylibmc}),
		perl.asInstalled(nil, perl.place),
		perlFast.asInstalled(nil, perlFast.place),
		phpMemcache.asInstalled(nil, phpMemcache.place),
		pythonMemcached.asInstalled(nil, pythonMemcached.place),
		php.asInstalled(defaults, placing{"PHPMemcached", placement.PHPMemcached}).newer(),
		pymemcache.asInstalled(nil, placing{"Pymemcache", placement.Pymemcache}).newer(),
		python.asInstalled(nil, python.place).newer(),
		ruby.asInstalled(nil, ruby.place).newer(),
	}
}

// TestDefaults has each client, with its own settings, and this one share three
// servers: each finds all that the other stored, deletes it and counts with it.
func TestDefaults(t *testing.T) {
	secured, open := language{}.start(t, 3), language{noSASL: true}.start(t, 3)
	for _, l := range asInstalled() {
		t.Run(l.name, func(t *testing.T) {
			servers := secured
			if l.noSASL {
				servers = open
			}
			f := l.join(t, nil, servers...)
			f.share(t)
			f.deleteShared(t)
			if l.command[1] != tools.command[1] { // they do not count
				f.countShared(t)
			}
		})
	}
}

// deleteShared has each client delete a part of what the other stored in share.
func (f fleet) deleteShared(t *testing.T) {
	n := min(30, f.count())
	theirs, ours := f.keys("theirs", n), f.keys("ours", n)
	for _, key := range theirs {
		if err := f.ours.Delete(t.Context(), key); err != nil {
			t.Errorf("Delete(%q) of theirs = %v", key, err)
		}
	}
	var found map[string]*value
	if f.theirs.must(t, "get_multi", args{"keys": theirs}, &found); len(found) != 0 {
		t.Errorf("they find %d of %d keys that were deleted", len(found), n)
	}
	for _, key := range ours {
		if !f.theirs.done(t, "delete", args{"key": key}) {
			t.Errorf("their delete of %q was refused", key)
		}
		if _, err := f.ours.Get(t.Context(), key); !errors.Is(err, memcached.ErrCacheMiss) {
			t.Errorf("Get(%q) after their delete = %v, want ErrCacheMiss", key, err)
		}
	}
}

// countShared has both count with the same counters, on all servers.
func (f fleet) countShared(t *testing.T) {
	for i := range 12 {
		key := fmt.Sprintf("counter:%d", i)
		if got := f.theirs.number(t, "incr", key, 5, 10); got != "10" {
			t.Errorf("%q: their incr = %s, want 10", key, got)
		}
		if n, err := f.ours.Increment(t.Context(), key, 7); n != 17 || err != nil {
			t.Errorf("Increment(%q) = %d, %v, want 17", key, n, err)
		}
		if got := f.theirs.number(t, "decr", key, 2, 0); got != "15" {
			t.Errorf("%q: their decr = %s, want 15", key, got)
		}
	}
}

// TestDefaults_Prefixes is clients that put a prefix before every key. Some place
// keys without it.
func TestDefaults_Prefixes(t *testing.T) {
	const prefix = "app:"
	secured, open := language{}.start(t, 3), language{noSASL: true}.start(t, 3)
	for _, l := range []language{
		php.asInstalled(args{"defaults": true, "prefix": prefix}, placing{"PHPMemcached without prefix", placement.WithoutPrefix(prefix, placement.PHPMemcached)}),
		pymemcache.asInstalled(args{"key_prefix": prefix}, placing{"Pymemcache without prefix", placement.WithoutPrefix(prefix, placement.Pymemcache)}),
		ruby.asInstalled(args{"namespace": "app"}, ruby.place),
		npmMemcached.asInstalled(args{"namespace": prefix}, npmMemcached.place),
		perl.asInstalled(args{"namespace": prefix}, placing{"CacheMemcached without prefix", placement.WithoutPrefix(prefix, placement.CacheMemcached)}),
		perlFast.asInstalled(args{"namespace": prefix}, placing{"CacheMemcached without prefix", placement.WithoutPrefix(prefix, placement.CacheMemcached)}),
	} {
		t.Run(l.name, func(t *testing.T) {
			servers := secured
			if l.noSASL {
				servers = open
			}
			l.join(t, nil, servers...).sharePrefixed(t, prefix)
		})
	}
}

// sharePrefixed has each client find and delete what the other stored, where
// theirs puts prefix before its keys.
func (f fleet) sharePrefixed(t *testing.T, prefix string) {
	keys := f.keys("prefixed", 300)
	values, full := args{}, make([]string, len(keys))
	for i, key := range keys {
		values[key], full[i] = f.hello(), prefix+key
	}
	if !f.theirs.done(t, "set_multi", args{"values": values}) {
		t.Fatal("their set_multi was refused")
	}
	if got, err := f.ours.GetMulti(t.Context(), full); len(got) != len(keys) || err != nil {
		t.Errorf("GetMulti found %d of their %d keys, %v", len(got), len(keys), err)
	}
	f.wantSpread(t, full)
	for _, key := range full[:150] {
		if err := f.ours.Delete(t.Context(), key); err != nil {
			t.Errorf("Delete(%q) of theirs = %v", key, err)
		}
	}
	var found map[string]*value
	if f.theirs.must(t, "get_multi", args{"keys": keys}, &found); len(found) != 150 {
		t.Errorf("they find %d of their keys after 150 deletes, want 150", len(found))
	}
	f.write(t, full[0], f.ourHello())
	if got := f.theirs.get(t, keys[0]); !same(got, f.hello()) {
		t.Errorf("they read %s, want %s", short(got), short(f.hello()))
	}
}
