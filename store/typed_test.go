package store_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"testing"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/store"
)

type user struct {
	Name string
	Age  int `json:"age,omitempty"`
}

func TestTyped_KeepsStructs(t *testing.T) {
	server, client := start(t, nil)
	for name, opts := range map[string]*store.Options{
		"default": nil, "compressed": {Codec: codec.Compressed(codec.JSON{}, 10)}, "prefix": {Prefix: "p:"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTyped[user](t, client, opts, libstore.WithExpiration(time.Hour))
			want := user{"Ada", 36}
			for _, options := range [][]libstore.Option{nil, {tagged("t")}} {
				mustSet(t, s, "k", want, options...)
				wantHit(t, s, "k", want)
				wantTTL(t, s, "k", time.Hour, time.Minute)
			}
			invalidate(t, s, "t")
			wantMiss(t, s, "k")
			if stored, err := s.SetIfNotExists(t.Context(), "k", want); !stored || err != nil {
				t.Errorf("SetIfNotExists = %v, %v, want the invalidated key to be free", stored, err)
			}
		})
	}
	s := newTyped[user](t, client, nil)
	mustSet(t, s, "k", user{"Ada", 36})
	if item, _ := server.Item("k"); string(item.Value) != `{"Name":"Ada","age":36}` {
		t.Errorf("the server holds %q, want plain JSON", item.Value)
	}
	if s.GetType() != store.Type {
		t.Errorf("GetType = %q, want %q", s.GetType(), store.Type)
	}
}

func TestTyped_Pointers(t *testing.T) {
	_, client := start(t, nil)
	s := newTyped[*user](t, client, nil)
	mustSet(t, s, "k", &user{"Ada", 36})
	got, err := s.Get(t.Context(), "k")
	if u, ok := got.(*user); err != nil || !ok || *u != (user{"Ada", 36}) {
		t.Errorf("Get = %#v, %v, want the user", got, err)
	}
	if err := s.Set(t.Context(), "k", (*user)(nil)); !errors.Is(err, store.ErrValueType) {
		t.Errorf("Set of a nil pointer = %v, want ErrValueType", err)
	}
	if err := s.Set(t.Context(), "k", nil); !errors.Is(err, store.ErrValueType) {
		t.Errorf("Set of nil = %v, want ErrValueType", err)
	}
	if err := s.Set(t.Context(), "k", user{}); !errors.Is(err, store.ErrValueType) {
		t.Errorf("Set of another type = %v, want ErrValueType", err)
	}
}

func TestTyped_Slices(t *testing.T) {
	_, client := start(t, nil)
	s := newTyped[[]user](t, client, nil)
	want := []user{{"Ada", 36}, {"Alan", 41}}
	mustSet(t, s, "k", want)
	if got, err := s.Get(t.Context(), "k"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Get = %#v, %v, want %#v", got, err, want)
	}
}

// checkTyped stores and reads a value of a type that needs no codec.
func checkTyped[T any](t *testing.T, server *memcachedtest.Server, client store.Client, value T, text string) {
	t.Helper()
	s := newTyped[T](t, client, nil)
	mustSet(t, s, "k", value)
	if item, _ := server.Item("k"); string(item.Value) != text {
		t.Errorf("a %T is %q on the server, want %q", value, item.Value, text)
	}
	got, err := s.Get(t.Context(), "k")
	if err != nil || !reflect.DeepEqual(got, any(value)) {
		t.Errorf("a %T came back as %T %v, %v", value, got, got, err)
	}
	// What another client wrote as text, and what a Store wrote.
	server.SetItem(&memcached.Item{Key: "k", Value: []byte(text)})
	if got, err := s.Get(t.Context(), "k"); err != nil || !reflect.DeepEqual(got, any(value)) {
		t.Errorf("text of a %T was read as %T %v, %v", value, got, got, err)
	}
	mustSet(t, store.New(client), "k", value)
	if got, err := s.Get(t.Context(), "k"); err != nil || !reflect.DeepEqual(got, any(value)) {
		t.Errorf("a Store's %T was read as %T %v, %v", value, got, got, err)
	}
}

func TestTyped_SimpleTypesNeedNoCodec(t *testing.T) {
	server, client := start(t, nil)
	checkTyped(t, server, client, "text", "text")
	checkTyped(t, server, client, []byte("bytes"), "bytes")
	checkTyped(t, server, client, int64(-42), "-42")
	checkTyped(t, server, client, uint8(42), "42")
	checkTyped(t, server, client, 1.5, "1.5")
	checkTyped(t, server, client, true, "true")
	s := newTyped[uint8](t, client, nil)
	mustSet(t, store.New(client), "k", 300)
	if got, err := s.Get(t.Context(), "k"); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("300 in a store of uint8 = %v, %v, want ErrCorrupt", got, err)
	}
}

// A gocache that had bytes of JSON in another store, changes to Typed.
func TestTyped_ReadsBytesThatTheCodecCouldHaveMade(t *testing.T) {
	server, client := start(t, nil)
	s := newTyped[user](t, client, nil)
	server.SetItem(&memcached.Item{Key: "foreign", Value: []byte(`{"Name":"Ada"}`)})
	wantHit(t, s, "foreign", user{Name: "Ada"})
	mustSet(t, store.New(client), "k", []byte(`{"Name":"Alan"}`))
	wantHit(t, s, "k", user{Name: "Alan"})
	mustSet(t, store.New(client), "k", "nonsense")
	if got, err := s.Get(t.Context(), "k"); err == nil || isMiss(err) {
		t.Errorf("Get of nonsense = %v, %v, want an error", got, err)
	}
	mustSet(t, store.New(client), "k", 42)
	if got, err := s.Get(t.Context(), "k"); err == nil || isMiss(err) {
		t.Errorf("Get of a number = %v, %v, want an error", got, err)
	}
}

func TestTyped_Any(t *testing.T) {
	_, client := start(t, nil)
	s := newTyped[any](t, client, nil)
	mustSet(t, s, "k", map[string]any{"a": "b"})
	got, err := s.Get(t.Context(), "k")
	if want := (map[string]any{"a": "b"}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Get = %#v, %v, want %#v", got, err, want)
	}
	mustSet(t, store.New(client), "k", int64(7))
	wantHit(t, s, "k", int64(7))
	if err := s.Set(t.Context(), "k", nil); !errors.Is(err, store.ErrValueType) {
		t.Errorf("Set of nil = %v, want ErrValueType", err)
	}
}

func TestTyped_Multi(t *testing.T) {
	_, client := start(t, nil)
	s := newTyped[user](t, client, &store.Options{Prefix: "p:"})
	want := make(map[string]user)
	var keys []string
	for i := range 100 {
		key := fmt.Sprint("k ", i)
		want[key] = user{key, i}
		keys = append(keys, key)
	}
	if err := s.SetMulti(t.Context(), want, tagged("t")); err != nil {
		t.Fatal(err)
	}
	got, err := s.GetMulti(t.Context(), append(keys, "absent"))
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("GetMulti = %v, %v, want %v", got, err, want)
	}
	invalidate(t, s, "t")
	if got, err := s.GetMulti(t.Context(), keys); err != nil || len(got) != 0 {
		t.Errorf("GetMulti after Invalidate = %v, %v, want nothing", got, err)
	}
}
