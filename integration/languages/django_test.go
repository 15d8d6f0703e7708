package languages_test

import (
	"errors"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/codec/bmemcached"
	"github.com/bmemcached/bmemcached-go/binary/placement"
)

// django is Django's cache framework over pylibmc, which makes its own keys.
var django = language{
	name:    "django",
	command: []string{"python3", "djangocache.py"},
	codec:   bmemcached.Pylibmc{},
	place:   ketama,
}

// djangoNewer is the newer Django over pymemcache, which its documentation proposes.
var djangoNewer = language{
	name:    "django",
	command: django.command,
	options: args{"pymemcache": true},
	codec:   bmemcached.Pylibmc{},
	place:   placing{"Pymemcache", placement.Pymemcache},
	release: trixie,
	noSASL:  true,
}

// TestDjango shares keys with Django, which stores as KEY_PREFIX:VERSION:key.
func TestDjango(t *testing.T) {
	servers := language{}.start(t, 3)
	for _, test := range []struct {
		name, prefix string
		options      args
	}{
		{"no prefix", ":1:", args{}},
		{"own settings", ":1:", args{"defaults": true}},
		{"prefix and version", "shop:7:", args{"KEY_PREFIX": "shop", "VERSION": 7}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := django.with(test.name, test.options, django.codec)
			if test.options["defaults"] == true {
				l.place = placing{"Pylibmc", placement.Pylibmc}
			}
			l.join(t, nil, servers...).shareDjango(t, test.prefix)
		})
	}
	t.Run("pymemcache", func(t *testing.T) {
		djangoNewer.join(t, nil, djangoNewer.start(t, 3)...).shareDjango(t, ":1:")
	})
}

// shareDjango has each side read what the other stored, where Django puts prefix
// before its keys.
func (f fleet) shareDjango(t *testing.T, prefix string) {
	t.Helper()
	for _, key := range f.keys("view", 50) {
		f.theirs.set(t, key, textOf("theirs"))
		var got string
		if f.read(t, prefix+key, &got); got != "theirs" {
			t.Errorf("%q: this client reads %q, want theirs", key, got)
		}
		f.wantMiss(t, key)
		f.write(t, prefix+key, "ours")
		if got := f.theirs.get(t, key); !same(got, textOf("ours")) {
			t.Errorf("%q: Django reads %s, want ours", key, short(got))
		}
	}
}

// TestDjango_Versions follows a key through Django's versions, counters and
// times to live.
func TestDjango_Versions(t *testing.T) {
	servers := language{}.start(t, 1)
	l := django.with("versions", args{"KEY_PREFIX": "shop"}, django.codec)
	f := l.join(t, nil, servers...)
	f.theirs.set(t, "user", intOf(41))
	var n int
	if f.read(t, "shop:1:user", &n); n != 41 {
		t.Errorf("version 1 = %d, want 41", n)
	}
	f.theirs.must(t, "incr_version", args{"key": "user"}, nil)
	f.wantMiss(t, "shop:1:user")
	if n, err := f.ours.Increment(t.Context(), "shop:2:user", 1); n != 42 || err != nil {
		t.Errorf("Increment of version 2 = %d, %v, want 42", n, err)
	}
	var got *value
	f.theirs.must(t, "get", args{"key": "user", "version": 2}, &got)
	if !same(got, intOf(42)) {
		t.Errorf("Django reads version 2 as %s, want 42", short(got))
	}
	if !f.theirs.done(t, "delete", args{"key": "user", "version": 2}) {
		t.Error("Django's delete of version 2 was refused")
	}
	f.wantMiss(t, "shop:2:user")

	f.theirs.done(t, "set", args{"key": "soon", "value": textOf("v"), "timeout": 2})
	f.theirs.done(t, "set", args{"key": "ever", "value": textOf("v"), "timeout": nil})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		_, err := f.ours.Get(t.Context(), "shop:1:soon")
		if errors.Is(err, memcached.ErrCacheMiss) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("Get of what lives 2 s = %v after 20 s", err)
		}
	}
	if _, err := f.ours.Get(t.Context(), "shop:1:ever"); err != nil {
		t.Errorf("Get of what lives for ever = %v", err)
	}
}
