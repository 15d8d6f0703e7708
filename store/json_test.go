package store_test

import (
	"encoding/json"
	"errors"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/store"
)

type (
	hidden   struct{ name string }
	inner    struct{ N int64 }
	embedded struct {
		inner
		M any
	}
	node struct {
		Value any
		Next  *node
		Rest  []node
		Named map[string]node
	}
	onlyEncodes struct{ n int }
	byPointer   struct{ n int }
)

func (o onlyEncodes) MarshalJSON() ([]byte, error) { return json.Marshal(o.n) }

func (b *byPointer) MarshalJSON() ([]byte, error)    { return json.Marshal(b.n) }
func (b *byPointer) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &b.n) }

// keeps stores v in a Typed of T and wants it back.
func keeps[T any](t *testing.T, v T) {
	t.Helper()
	_, client := start(t, nil)
	s := newTyped[T](t, client, nil)
	mustSet(t, s, "k", v)
	if got, err := s.Get(t.Context(), "k"); err != nil || !reflect.DeepEqual(got, any(v)) {
		t.Errorf("Get = %#v, %v, want %#v", got, err, v)
	}
}

func TestTyped_LargeIntegersInAnAnyKeepTheirValue(t *testing.T) {
	const large = 9007199254740993
	keeps(t, map[string]any{"id": int64(large), "max": uint64(math.MaxUint64), "min": int64(math.MinInt64 + 1)})
	keeps(t, map[string]any{"small": 1.0, "float": 1.5, "exact": float64(1 << 53), "even": float64(math.MinInt64), "huge": 1e20, "e": 1.25e-20, "b": json.Number("123456789012345678901234567890")})
	keeps[any](t, []any{map[string]any{"deep": []any{int64(large)}}, "9007199254740993", nil, true})
	keeps(t, node{
		Value: int64(large), Next: &node{Value: int64(-large)},
		Rest: []node{{Value: int64(large)}}, Named: map[string]node{"a": {Value: int64(large)}},
	})
	keeps(t, embedded{inner{large}, int64(large)})
}

func TestTyped_WrongJSONIsStillAnError(t *testing.T) {
	_, client := start(t, nil)
	s := newTyped[map[string]any](t, client, nil)
	for _, text := range []string{`{"a":1234567890123456789`, `{"a":1234567890123456789}}`, `[1234567890123456789]`, `1234567890123456789`} {
		mustSet(t, store.New(client), "k", []byte(text))
		if got, err := s.Get(t.Context(), "k"); err == nil || isMiss(err) || strings.Contains(err.Error(), "123456") {
			t.Errorf("%s was read as %v, %v, want an error without the value", text, got, err)
		}
	}
}

func refuses[T any](t *testing.T, field string) {
	t.Helper()
	_, client := start(t, nil)
	_, err := store.NewTyped[T](client, nil)
	if !errors.Is(err, store.ErrValueType) || !strings.Contains(err.Error(), "field "+field+" of") || !strings.Contains(err.Error(), "Options.Codec") {
		t.Errorf("NewTyped of %v = %v, want an error about the field %s and Options.Codec", reflect.TypeFor[T](), err, field)
	}
	if _, err := store.NewTyped[T](client, &store.Options{Codec: codec.JSON{}}); err != nil {
		t.Errorf("NewTyped of %v with a codec = %v, want it to be the codec's business", reflect.TypeFor[T](), err)
	}
}

func TestNewTyped_RefusesTypesOfWhichFieldsWouldVanish(t *testing.T) {
	type number int
	refuses[hidden](t, "name")
	refuses[*hidden](t, "name")
	refuses[[]hidden](t, "name")
	refuses[map[string]struct{ Inner [2]hidden }](t, "name")
	refuses[struct{ number }](t, "number")
	refuses[struct{ *inner }](t, "inner")
	refuses[onlyEncodes](t, "n")
	refuses[map[string]byPointer](t, "n")
}

func TestNewTyped_AcceptsWhatJSONKeeps(t *testing.T) {
	keeps(t, struct {
		At   netip.Addr
		Time time.Time
		P    *byPointer
		B    byPointer
		L    []byPointer
		embedded
		_   struct{}
		tmp int `json:"-"`
	}{netip.MustParseAddr("::1"), time.Unix(1, 2).UTC(), &byPointer{1}, byPointer{2}, []byPointer{{3}}, embedded{inner{4}, "m"}, struct{}{}, 0})
}

func TestTyped_RefusesValuesInAnAnyOfWhichFieldsWouldVanish(t *testing.T) {
	_, client := start(t, nil)
	s := newTyped[any](t, client, nil)
	cycle := &node{}
	cycle.Next = cycle
	for name, v := range map[string]any{
		"struct": hidden{"a"}, "pointer": &hidden{"a"}, "in a map": map[string]any{"a": []any{hidden{"a"}}},
		"in a field": node{Named: map[string]node{"x": {Value: hidden{"a"}}}},
	} {
		if err := s.Set(t.Context(), "k", v); !errors.Is(err, store.ErrValueType) {
			t.Errorf("%s: Set = %v, want ErrValueType", name, err)
		}
		wantMiss(t, s, "k")
	}
	if err := s.Set(t.Context(), "k", cycle); err == nil {
		t.Error("Set of a cycle = nil, want an error")
	}
	mustSet(t, s, "k", map[string]any{"time": time.Unix(0, 0).UTC(), "addr": netip.MustParseAddr("::1"), "inner": inner{1}})
}

// A number that a float64 cannot hold does not lift the codec's limits.
func TestTyped_LimitsHoldWithLargeIntegers(t *testing.T) {
	_, client := start(t, nil)
	s := newTyped[map[string]any](t, client, nil)
	for name, text := range map[string]string{
		"elements": "[1234567890123456" + strings.Repeat(",[]", codec.MaxElements) + "]",
		"digits":   "[1234567890123456," + strings.Repeat("1", codec.MaxDigits+1) + "]",
		"depth":    "[1234567890123456," + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + "]",
	} {
		mustSet(t, store.New(client), "k", []byte(`{"a":`+text+`}`))
		if _, err := s.Get(t.Context(), "k"); !errors.Is(err, codec.ErrTooLarge) {
			t.Errorf("%s: Get = %v, want ErrTooLarge", name, err)
		}
	}
}
