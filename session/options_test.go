package session_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
)

// constructors are New and NewSCS.
var constructors = map[string]func(client session.Client, opts *session.Options, keys ...[]byte) error{
	"New": func(client session.Client, opts *session.Options, keys ...[]byte) error {
		_, err := session.New(client, opts, keys...)
		return err
	},
	"NewSCS": func(client session.Client, opts *session.Options, keys ...[]byte) error {
		_, err := session.NewSCS(client, opts, keys...)
		return err
	},
}

func TestOptions_ThatMakeNoSenseAreErrors(t *testing.T) {
	client := newClient(t, memcachedtest.Start(t, nil))
	for name, c := range map[string]struct {
		opts session.Options
		want string // in the error's text
	}{
		"negative IdleTimeout":         {session.Options{IdleTimeout: -time.Second}, "Options.IdleTimeout is -1s: want"},
		"IdleTimeout without unit":     {session.Options{IdleTimeout: 60}, "Options.IdleTimeout of 60ns: durations have units, as in 60*time.Second"},
		"negative AbsoluteTimeout":     {session.Options{AbsoluteTimeout: -1}, "Options.AbsoluteTimeout is -1ns: want"},
		"AbsoluteTimeout without unit": {session.Options{AbsoluteTimeout: 999_999}, "Options.AbsoluteTimeout of 999.999µs: durations have units"},
		"negative MaxSize":             {session.Options{MaxSize: -1}, "Options.MaxSize is -1: want"},
		"space in Prefix":              {session.Options{Prefix: "a b"}, `Options.Prefix is "a b"`},
		"line end in Prefix":           {session.Options{Prefix: "a\n"}, `Options.Prefix is "a\n"`},
		"NUL in Prefix":                {session.Options{Prefix: "\x00"}, `Options.Prefix is "\x00"`},
		"long Prefix":                  {session.Options{Prefix: strings.Repeat("p", 208)}, "208 bytes: want up to 207 bytes"},
	} {
		for constructor, make := range constructors {
			if err := make(client, &c.opts, authKey); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %s = %v, want an error with %q", name, constructor, err, c.want)
			}
		}
	}
}

func TestOptions_ThatAreJustRight(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	client := newClient(t, server)
	for _, opts := range []*session.Options{
		nil,
		{},
		{IdleTimeout: time.Millisecond, AbsoluteTimeout: time.Millisecond, MaxSize: 1},
		{Prefix: strings.Repeat("p", 207)},
	} {
		for constructor, make := range constructors {
			if err := make(client, opts, authKey); err != nil {
				t.Errorf("%s(%+v): %v", constructor, opts, err)
			}
		}
	}
	long := storeOn(t, client, &session.Options{Prefix: strings.Repeat("p", 207)}, authKey)
	newBrowser(t).set(long, "k", 1)
	if err := long.RevokeAll(context.Background(), "ada"); err != nil {
		t.Errorf("RevokeAll: %v", err)
	}
	if keys := server.Keys(); len(keys) != 1 || len(keys[0]) != 250 {
		t.Errorf("keys = %q, want one of 250 bytes", keys)
	}
}

func TestKeys_AreCheckedByTheConstructors(t *testing.T) {
	client := newClient(t, memcachedtest.Start(t, nil))
	for name, c := range map[string]struct {
		keys [][]byte
		want string // in the error's text
	}{
		"none":                     {nil, "want an authentication key of 32 random bytes"},
		"empty":                    {[][]byte{nil}, "pair 1: the authentication key has 0 bytes, want 32"},
		"one byte":                 {[][]byte{{1}}, "pair 1: the authentication key has 1 bytes, want 32"},
		"31 bytes":                 {[][]byte{authKey[:31]}, "pair 1: the authentication key has 31 bytes, want 32"},
		"second pair short":        {[][]byte{authKey, nil, authKey[:16]}, "pair 2: the authentication key has 16 bytes"},
		"encryption key of 5":      {[][]byte{authKey, []byte("short")}, "pair 1: the encryption key has 5 bytes, want 16, 24 or 32"},
		"second encryption key 33": {[][]byte{authKey, nil, authKey, make([]byte, 33)}, "pair 2: the encryption key has 33 bytes"},
	} {
		for constructor, make := range constructors {
			err := make(client, nil, c.keys...)
			if !errors.Is(err, session.ErrKeys) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %s = %v, want ErrKeys with %q", name, constructor, err, c.want)
			}
			for _, key := range c.keys {
				if err != nil && len(key) > 1 && strings.Contains(err.Error(), string(key)) {
					t.Errorf("%s: the error of %s holds the key", name, constructor)
				}
			}
		}
	}
	for _, size := range []int{16, 24, 32} {
		for constructor, make := range constructors {
			if err := make(client, nil, authKey, blockKey[:size], append(authKey, "longer"...)); err != nil {
				t.Errorf("%s with an encryption key of %d bytes: %v", constructor, size, err)
			}
		}
	}
}
