package memcached_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// TestFlush_RefusedIsNoQuestionOfCredentials: 0x20 has a third meaning.
func TestFlush_RefusedIsNoQuestionOfCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, &memcachedtest.Options{DisableFlush: true})
		client := newClient(t, memcached.Options{}, server)
		set(t, client, "k", "v")
		err := client.FlushAll(t.Context(), 0)
		var status *memcached.StatusError
		if !errors.As(err, &status) || errors.Is(err, memcached.ErrAuth) {
			t.Errorf("FlushAll = %v, want a StatusError that is not ErrAuth", err)
		}
		wantValue(t, client, "k", "v")
		if s := client.Stats().Servers[server.Addr()]; s.Dials != 1 || s.Down {
			t.Errorf("after it: %+v, want the one connection", s)
		}
	})
}

func TestAnswers_AreBare(t *testing.T) {
	server := newServer(t, nil)
	client := newClient(t, memcached.Options{}, server)
	ctx := t.Context()
	set(t, client, "k", "v")
	item, err := client.Get(ctx, "k")
	if err != nil {
		t.Fatal(err)
	}
	stale := *item
	stale.CAS++
	missing := &memcached.Item{Key: "missing", CAS: 7}
	_, getErr := client.Get(ctx, "missing")
	_, gatErr := client.GetAndTouch(ctx, "missing", 0)
	_, _, appendErr := client.AppendValue(ctx, nil, "missing")
	_, incErr := client.Increment(ctx, "missing", 1)
	_, decErr := client.Decrement(ctx, "missing", 1)
	for name, tt := range map[string]struct{ got, want error }{
		"Get":                               {getErr, memcached.ErrCacheMiss},
		"GetAndTouch":                       {gatErr, memcached.ErrCacheMiss},
		"AppendValue":                       {appendErr, memcached.ErrCacheMiss},
		"Touch":                             {client.Touch(ctx, "missing", 0), memcached.ErrCacheMiss},
		"Delete":                            {client.Delete(ctx, "missing"), memcached.ErrCacheMiss},
		"Increment":                         {incErr, memcached.ErrCacheMiss},
		"Decrement":                         {decErr, memcached.ErrCacheMiss},
		"CompareAndSwap of a missing key":   {client.CompareAndSwap(ctx, missing), memcached.ErrCacheMiss},
		"CompareAndDelete of a missing key": {client.CompareAndDelete(ctx, "missing", 7), memcached.ErrCacheMiss},
		"CompareAndSwap of a changed key":   {client.CompareAndSwap(ctx, &stale), memcached.ErrCASConflict},
		"CompareAndDelete of a changed key": {client.CompareAndDelete(ctx, "k", stale.CAS), memcached.ErrCASConflict},
		"Add of an existing key":            {client.Add(ctx, item), memcached.ErrNotStored},
		"Replace of a missing key":          {client.Replace(ctx, missing), memcached.ErrNotStored},
		"Append to a missing key":           {client.Append(ctx, "missing", nil), memcached.ErrNotStored},
		"Prepend to a missing key":          {client.Prepend(ctx, "missing", nil), memcached.ErrNotStored},
	} {
		if tt.got != tt.want {
			t.Errorf("%s = %#v, want bare %v", name, tt.got, tt.want)
		}
	}
}
