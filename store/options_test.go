package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/store"
)

func TestOptions_WhatTheStoreCannotDoIsAnError(t *testing.T) {
	server, client := start(t, nil)
	s, p, typed := store.New(client), prefixed(t, client, "p:"), newTyped[string](t, client, nil)
	for want, option := range unhonoured {
		_, errAdd := s.SetIfNotExists(t.Context(), "k", "v", option)
		for name, err := range map[string]error{
			"Set":             s.Set(t.Context(), "k", "v", option),
			"Set with prefix": p.Set(t.Context(), "k", "v", option),
			"SetIfNotExists":  errAdd,
			"SetMulti":        s.SetMulti(t.Context(), map[string]any{"k": "v"}, option),
			"typed SetMulti":  typed.SetMulti(t.Context(), map[string]string{"k": "v"}, option),
		} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s = %v, want %q", name, err, want)
			}
		}
	}
	err := s.Set(t.Context(), "k", "v", libstore.WithClientSideCaching(time.Minute))
	if !errors.Is(err, libstore.ErrNotSupported) {
		t.Errorf("Set with client-side caching = %v, want ErrNotSupported", err)
	}
	if n := server.RequestCount(); n != 0 {
		t.Errorf("%d requests were sent, want none", n)
	}
}

func TestOptions_CostAndSynchronousSetAreAccepted(t *testing.T) {
	_, client := start(t, nil)
	s := store.New(client, libstore.WithCost(1))
	mustSet(t, s, "k", "v", libstore.WithCost(7), libstore.WithSynchronousSet())
	wantHit(t, s, "k", "v")
}

func TestOptions_NilOnesAreSkipped(t *testing.T) {
	_, client := start(t, nil)
	s := store.New(client, nil, libstore.WithExpiration(time.Hour), nil)
	mustSet(t, s, "k", "v", nil, libstore.WithTags([]string{"t"}), nil)
	wantTTL(t, s, "k", time.Hour, time.Minute)
	if err := s.Invalidate(t.Context(), nil, libstore.WithInvalidateTags([]string{"t"}), nil); err != nil {
		t.Fatal(err)
	}
	wantMiss(t, s, "k")
	if err := s.Invalidate(t.Context()); err != nil {
		t.Errorf("Invalidate of nothing = %v, want nil", err)
	}
}

func TestOptions_DefaultsApplyUnlessChanged(t *testing.T) {
	_, client := start(t, nil)
	s := store.New(client, libstore.WithExpiration(time.Hour), libstore.WithTags([]string{"t"}))
	mustSet(t, s, "default", "v")
	mustSet(t, s, "changed", "v", libstore.WithExpiration(0), libstore.WithTags(nil))
	wantTTL(t, s, "default", time.Hour, time.Minute)
	wantTTL(t, s, "changed", 0, 0)
	invalidate(t, s, "t")
	wantMiss(t, s, "default")
	wantHit(t, s, "changed", "v")
}
