package main

import (
	"bytes"
	"errors"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

const want = `get:     hello
miss:    true
counter: 3
misuse:  true
fault:   increment of "quickstart:greeting": true
`

func TestRun_WithoutServers(t *testing.T) {
	t.Setenv("MEMCACHED_SERVERS", "")
	var out bytes.Buffer
	if err := run(t.Context(), &out); err != nil || out.String() != want {
		t.Errorf("run() printed\n%s%v, want\n%s", out.String(), err, want)
	}
}

func TestRun_OnServersOfTheEnvironment(t *testing.T) {
	server := memcachedtest.Start(t, &memcachedtest.Options{Users: map[string]string{"app": "secret"}})
	t.Setenv("MEMCACHED_SERVERS", server.Addr())
	t.Setenv("MEMCACHED_USERNAME", "app")
	t.Setenv("MEMCACHED_PASSWORD", "secret")
	for range 2 { // what the first run left must not disturb the second
		var out bytes.Buffer
		if err := run(t.Context(), &out); err != nil || out.String() != want {
			t.Errorf("run() printed\n%s%v, want\n%s", out.String(), err, want)
		}
	}
	if _, there := server.Item("quickstart:greeting"); !there {
		t.Error("the server of the environment was not used")
	}
}

func TestRun_WrongPassword(t *testing.T) {
	server := memcachedtest.Start(t, &memcachedtest.Options{Users: map[string]string{"app": "secret"}})
	t.Setenv("MEMCACHED_SERVERS", server.Addr())
	t.Setenv("MEMCACHED_USERNAME", "app")
	t.Setenv("MEMCACHED_PASSWORD", "wrong")
	var out bytes.Buffer
	if err := run(t.Context(), &out); !errors.Is(err, memcached.ErrAuth) {
		t.Errorf("run() = %v, want %v", err, memcached.ErrAuth)
	}
}

func TestRun_ServerWithoutSASL(t *testing.T) {
	t.Setenv("MEMCACHED_SERVERS", memcachedtest.Start(t, nil).Addr())
	t.Setenv("MEMCACHED_USERNAME", "")
	var out bytes.Buffer
	if err := run(t.Context(), &out); err != nil || out.String() != want {
		t.Errorf("run() printed\n%s%v, want\n%s", out.String(), err, want)
	}
}
