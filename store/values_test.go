package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/bmemcached"
	"github.com/bmemcached/bmemcached-go/binary/codec/spymemcached"
	"github.com/bmemcached/bmemcached-go/store"
)

// plainValues is one of every type that the store keeps.
var plainValues = []any{
	[]byte("bytes"),
	[]byte{},
	bytes.Repeat([]byte("b"), 5000), "text", "", strings.Repeat("t", 5000), "\u00e9", true, false,
	-1, int8(-2), int16(-3), int32(-4), int64(math.MinInt64), uint(1), uint8(2), uint16(3), uint32(4), uint64(math.MaxUint64),
	uintptr(5), float32(0.1), 0.1, -1e300,
}

func TestValues_ComeBackAsTheyWentIn(t *testing.T) {
	_, client := start(t, nil)
	for name, opts := range map[string]*store.Options{
		"no codec":         nil,
		"prefix":           {Prefix: "p:"},
		"raw":              {Codec: codec.Raw{}},
		"compressed":       {Codec: codec.Compressed(codec.Raw{}, 100)},
		"JSON":             {Codec: codec.JSON{}},
		"compressed JSON":  {Codec: codec.Compressed(codec.JSON{}, 100), Prefix: "p:"},
		"Python's clients": {Codec: bmemcached.Codec{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, client, opts)
			for i, want := range plainValues {
				for _, options := range [][]libstore.Option{nil, {libstore.WithExpiration(time.Hour)}, {tagged("t")}} {
					key := fmt.Sprint("k", i)
					mustSet(t, s, key, want, options...)
					got, err := s.Get(t.Context(), key)
					if err != nil || !reflect.DeepEqual(got, want) {
						t.Errorf("a %T of %.20v came back as %T %.20v, %v", want, want, got, got, err)
					}
					multi, err := s.GetMulti(t.Context(), []string{key})
					if err != nil || !reflect.DeepEqual(multi[key], want) {
						t.Errorf("a %T of %.20v came back as %T %.20v, %v in GetMulti", want, want, multi[key], multi[key], err)
					}
					if len(options) > 0 && options[0] != nil {
						if err := s.Touch(t.Context(), key, time.Minute); err != nil {
							t.Errorf("Touch of a %T = %v", want, err)
						}
						if got, err := s.Get(t.Context(), key); err != nil || !reflect.DeepEqual(got, want) {
							t.Errorf("a %T of %.20v is %T %.20v, %v after Touch", want, want, got, got, err)
						}
					}
				}
			}
		})
	}
}

// An empty value is a hit, and nil bytes are empty ones.
func TestValues_EmptyIsAHit(t *testing.T) {
	_, client := start(t, nil)
	s := store.New(client)
	for _, value := range []any{[]byte(nil), []byte{}} {
		for _, tags := range [][]string{nil, {"t"}} {
			mustSet(t, s, "k", value, libstore.WithTags(tags))
			got, err := s.Get(t.Context(), "k")
			if b, ok := got.([]byte); err != nil || !ok || b == nil || len(b) > 0 {
				t.Errorf("Get = %#v, %v, want empty bytes", got, err)
			}
		}
	}
}

// A value that was read belongs to the caller.
func TestValues_BytesAreTheCallers(t *testing.T) {
	_, client := start(t, nil)
	s := store.New(client)
	stored := []byte("value")
	mustSet(t, s, "k", stored)
	got, _ := s.Get(t.Context(), "k")
	copy(got.([]byte), "xxxxx")
	copy(stored, "yyyyy")
	wantHit(t, s, "k", []byte("value"))
}

func TestCodec_StoresWhatTheStoreDoesNot(t *testing.T) {
	_, client := start(t, nil)
	s := newStore(t, client, &store.Options{Codec: codec.JSON{}})
	mustSet(t, s, "k", map[string]int{"a": 1})
	got, err := s.Get(t.Context(), "k")
	if want := map[string]any{"a": 1.0}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Get = %#v, %v, want what JSON makes of it: %#v", got, err, want)
	}
	if err := s.Set(t.Context(), "k", func() {}); !errors.Is(err, codec.ErrType) {
		t.Errorf("Set of a func = %v, want ErrType", err)
	}
	for _, value := range []any{nil, (*int)(nil)} {
		if err := s.Set(t.Context(), "k", value); !errors.Is(err, store.ErrValueType) {
			t.Errorf("Set of %T nil = %v, want ErrValueType", value, err)
		}
	}
}

func TestCodec_CompressesWhatIsLarge(t *testing.T) {
	server, client := start(t, nil)
	s := newStore(t, client, &store.Options{Codec: codec.Compressed(codec.Raw{}, 1000)})
	for _, value := range []any{bytes.Repeat([]byte("x"), 10000), strings.Repeat("x", 10000)} {
		mustSet(t, s, "k", value)
		if item, _ := server.Item("k"); len(item.Value) > 1000 {
			t.Errorf("a %T of 10000 bytes takes %d on the server, want it compressed", value, len(item.Value))
		}
		wantHit(t, s, "k", value)
	}
	mustSet(t, s, "k", "small")
	if item, _ := server.Item("k"); string(item.Value) != "small" {
		t.Errorf("the server holds %q, want it plain", item.Value)
	}
}

// Deploying a codec must not cost the cache, nor be a way to read nonsense.
func TestCodec_CanBeTurnedOnAndOff(t *testing.T) {
	_, client := start(t, nil)
	without := store.New(client)
	with := newStore(t, client, &store.Options{Codec: codec.Compressed(codec.JSON{}, 100)})
	for _, value := range plainValues {
		mustSet(t, without, "k", value)
		if got, err := with.Get(t.Context(), "k"); err != nil || !reflect.DeepEqual(got, value) {
			t.Errorf("a %T stored without a codec is %T %.20v, %v with one", value, got, got, err)
		}
		mustSet(t, with, "k", value)
		if got, err := without.Get(t.Context(), "k"); err == nil {
			t.Errorf("a %T stored with a codec is %T %.20v without one, want an error", value, got, got)
		} else if !strings.Contains(err.Error(), "Options.Codec") {
			t.Errorf("the error %q does not say what to do", err)
		}
	}
}

// The flags that other clients look at are the codec's, deadline or not.
func TestCodec_OtherLanguagesReadTheSame(t *testing.T) {
	server, client := start(t, nil)
	s := newStore(t, client, &store.Options{Codec: bmemcached.Codec{}})
	for _, ttl := range []time.Duration{0, time.Hour, 300 * day} {
		for value, flags := range map[any]uint32{
			"text": 0, 42: bmemcached.FlagInteger, strings.Repeat("t", 1000): bmemcached.FlagZlib,
		} {
			mustSet(t, s, "k", value, libstore.WithExpiration(ttl))
			item, _ := server.Item("k")
			data, want, _ := bmemcached.Codec{}.Encode(value)
			if want != flags || item.Flags&31 != flags || !bytes.Equal(item.Value, data) {
				t.Errorf("%.10v with TTL %v is %.10q with flags %#x, want %.10q with %#x in the low bits",
					value, ttl, item.Value, item.Flags, data, want)
			}
		}
	}
	// And what they wrote is read.
	server.SetItem(&memcached.Item{Key: "k", Value: []byte("42"), Flags: bmemcached.FlagInteger})
	wantHit(t, s, "k", int64(42))
	if err := s.Touch(t.Context(), "k", time.Hour); err != nil {
		t.Fatal(err)
	}
	wantHit(t, s, "k", int64(42))
	wantTTL(t, s, "k", time.Hour, time.Minute)
	if item, _ := server.Item("k"); item.Flags&31 != bmemcached.FlagInteger {
		t.Errorf("after Touch the flags are %#x, want the codec's in the low bits", item.Flags)
	}
}

// Flags that leave no room for a deadline go alone, so that the clients that
// they are for can read the item.
func TestCodec_WithLargeFlags(t *testing.T) {
	server, client := start(t, nil)
	s := newStore(t, client, &store.Options{Codec: spymemcached.Codec{}})
	mustSet(t, s, "k", int64(42), libstore.WithExpiration(time.Hour))
	_, want, err := spymemcached.Codec{}.Encode(int64(42))
	if item, _ := server.Item("k"); err != nil || want < 32 || item.Flags != want {
		t.Fatalf("the flags are %#x, want the codec's %#x (%v), above 31", item.Flags, want, err)
	} else if item.TTL > time.Hour {
		t.Errorf("the server keeps it for %v, but nobody else ends it", item.TTL)
	}
	wantHit(t, s, "k", int64(42))
	wantTTL(t, s, "k", time.Minute, 0)
	mustSet(t, s, "k", int64(42), libstore.WithExpiration(time.Hour), tagged("t"))
	wantHit(t, s, "k", int64(42))
	wantTTL(t, s, "k", time.Hour, time.Minute)
	invalidate(t, s, "t")
	wantMiss(t, s, "k")
}

// highFlags is a codec whose flags look like those of the store.
type highFlags struct{ codec.Raw }

func (c highFlags) Encode(v any) ([]byte, uint32, error) {
	data, _, err := c.Raw.Encode(v)
	return data, 0xffffffff, err
}

func (c highFlags) Decode(data []byte, flags uint32, v any) error {
	if flags != 0xffffffff {
		return fmt.Errorf("flags %#x, want the codec's own", flags)
	}
	return c.Raw.Decode(data, 0, v)
}

func TestCodec_WithFlagsLikeTheStores(t *testing.T) {
	_, client := start(t, nil)
	s := newStore(t, client, &store.Options{Codec: highFlags{}})
	mustSet(t, s, "k", "v", libstore.WithExpiration(time.Hour))
	wantHit(t, s, "k", "v")
	wantTTL(t, s, "k", time.Hour, time.Minute)
}
