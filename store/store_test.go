package store_test

import (
	"strings"
	"testing"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/store"
)

func TestStore_KeepsValues(t *testing.T) {
	_, client := start(t, nil)
	s := store.New(client)
	wantMiss(t, s, "k")
	mustSet(t, s, "k", []byte("value"))
	wantHit(t, s, "k", []byte("value"))
	mustSet(t, s, "n", int64(5))
	wantHit(t, s, "n", int64(5))
	if err := s.Delete(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	wantMiss(t, s, "k")
	if err := s.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantMiss(t, s, "n")
}

// panicOf returns what f panics with, as text.
func panicOf(f func()) (text string) {
	defer func() { text, _ = recover().(string) }()
	f()
	return ""
}

func TestNew_NilClientPanics(t *testing.T) {
	for kind, client := range map[string]store.Client{"nil": nil, "nil pointer": (*memcached.Client)(nil)} {
		for name, construct := range map[string]func(){
			"New":            func() { store.New(client) },
			"NewWithOptions": func() { store.NewWithOptions(client, nil) },
			"NewTyped":       func() { store.NewTyped[int](client, nil) },
		} {
			if got, want := panicOf(construct), "store: "+name+": client is nil"; got != want {
				t.Errorf("%s: %s panics with %q, want %q", kind, name, got, want)
			}
		}
	}
}

// unhonoured are options that no store can honour, with words of the error.
var unhonoured = map[string]libstore.Option{
	"WithClientSideCaching":                        libstore.WithClientSideCaching(time.Minute),
	"WithExpiration of 60ns: durations have units": libstore.WithExpiration(60),
	"WithTagsTTL of 60ns: durations have units":    libstore.WithTagsTTL(60),
	"WithTagsTTL is -1s: want more than 0":         libstore.WithTagsTTL(-time.Second),
}

func TestNew_OptionThatCannotBeHonoured(t *testing.T) {
	_, client := start(t, nil)
	for want, option := range unhonoured {
		if got := panicOf(func() { store.New(client, option) }); !strings.HasPrefix(got, "store: New: ") || !strings.Contains(got, want) {
			t.Errorf("New panics with %q, want %q in it", got, want)
		}
		s, err := store.NewWithOptions(client, nil, option)
		if s != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewWithOptions = %v, %v, want no store and %q", s, err, want)
		}
		typed, err := store.NewTyped[int](client, nil, option)
		if typed != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewTyped = %v, %v, want no store and %q", typed, err, want)
		}
	}
}

func TestNew_UnknownTTLIsChecked(t *testing.T) {
	_, client := start(t, nil)
	for ttl, want := range map[time.Duration]string{
		-1: "Options.UnknownTTL is -1ns: want more than 0",
		60: "Options.UnknownTTL of 60ns: durations have units",
	} {
		_, err := store.NewWithOptions(client, &store.Options{UnknownTTL: ttl})
		_, errTyped := store.NewTyped[int](client, &store.Options{UnknownTTL: ttl})
		for _, err := range []error{err, errTyped} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("UnknownTTL %v = %v, want %q", ttl, err, want)
			}
		}
	}
}
