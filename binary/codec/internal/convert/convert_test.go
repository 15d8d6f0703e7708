package convert

import (
	"errors"
	"math"
	"math/big"
	"reflect"
	"testing"
	"time"
)

type (
	text  string
	raw   []byte
	small int8
	flag  bool
	tuple []any
)

func TestBasic(t *testing.T) {
	for _, tc := range []struct{ in, want any }{
		{nil, nil},
		{"s", "s"},
		{text("s"), "s"},
		{raw("r"), []byte("r")},
		{small(-3), int8(-3)},
		{flag(true), true},
		{time.Second, int64(1e9)},
		{*big.NewInt(7), big.NewInt(7)},
		{big.NewInt(7), big.NewInt(7)},
		{time.Unix(1, 0), time.Unix(1, 0)},
	} {
		if got, err := Basic(tc.in); err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("Basic(%T %v) = %T %v, %v, want %T %v", tc.in, tc.in, got, got, err, tc.want, tc.want)
		}
	}
	for _, v := range []any{struct{}{}, new(int), (*big.Int)(nil), []int{1}, map[string]int{}, [2]byte{}, func() {}, 1i} {
		if got, err := Basic(v); !errors.Is(err, ErrType) {
			t.Errorf("Basic(%T) = %v, %v, want ErrType", v, got, err)
		}
	}
}

func TestValue(t *testing.T) {
	huge := new(big.Int).Lsh(big.NewInt(1), 100)
	for _, tc := range []struct {
		val, into any
		want      any // nil: ErrType
	}{
		{true, new(bool), true},
		{true, new(flag), flag(true)},
		{true, new(int), nil},
		{true, new(string), nil},
		{int64(-1), new(uint8), nil},
		{int64(255), new(uint8), uint8(255)},
		{int64(256), new(uint8), nil},
		{int64(128), new(small), nil},
		{int64(1) << 53, new(float64), float64(1 << 53)},
		{int64(1)<<53 + 1, new(float64), nil},
		{int64(math.MaxInt64), new(float64), nil}, // rounds to 2^63
		{int64(math.MinInt64), new(float64), -float64(1 << 63)},
		{int64(1)<<24 + 1, new(float32), nil},
		{int64(5), new(text), text("5")},
		{int64(5), new(raw), raw("5")},
		{int64(2), new(bool), nil},
		{int32(5), new(big.Int), *big.NewInt(5)},
		{uint64(5), new(big.Int), *big.NewInt(5)},
		{int64(5), new(*big.Int), big.NewInt(5)},
		{"-12", new(big.Int), *big.NewInt(-12)},
		{[]byte("12"), new(big.Int), *big.NewInt(12)},
		{"x", new(big.Int), nil},
		{true, new(big.Int), nil},
		{huge, new(big.Int), *huge},
		{huge, new(string), huge.String()},
		{huge, new(uint64), nil},
		{uint64(math.MaxUint64), new(uint64), uint64(math.MaxUint64)},
		{uint64(math.MaxUint64), new(int64), nil},
		{uint64(math.MaxUint64), new(float64), nil},
		{uint64(1) << 63, new(float64), float64(1 << 63)},
		{uint64(math.MaxUint64), new(string), "18446744073709551615"},
		{uint64(3), new(int8), int8(3)},
		{1.5, new(float32), float32(1.5)},
		{1e300, new(float32), nil},
		{math.Inf(1), new(float32), float32(math.Inf(1))},
		{math.Inf(1), new(int), nil},
		{3.0, new(int), 3},
		{3.5, new(int), nil},
		{9.3e18, new(int64), nil},
		{-1.0, new(uint), nil},
		{1.5, new(string), "1.5"},
		{1.5, new(bool), nil},
		{float32(0.5), new(float64), 0.5},
		{"abc", new(raw), raw("abc")},
		{"12", new(uint8), uint8(12)},
		{"-12", new(uint8), nil},
		{" 12 ", new(small), small(12)},
		{"300", new(small), nil},
		{" 1.5", new(float32), float32(1.5)},
		{"x", new(float64), nil},
		{"true", new(bool), nil},
		{[]byte("abc"), new(text), text("abc")},
		{[]byte("abc"), new([]int), nil},
		{nil, new(*int), (*int)(nil)},
		{nil, new([]int), []int(nil)},
		{nil, new(int), nil},
		{time.Unix(1, 0), new(time.Time), time.Unix(1, 0)},
		{time.Unix(1, 0), new(int), nil},
		{int64(1), new(**int), addr2(1)},
		{[]any{int64(1), nil}, new([]*int), []*int{addr(1), nil}},
		{[]any{"a", int64(2)}, new([]string), []string{"a", "2"}},
		{[]any{"a"}, new([]bool), nil},
		{[]any{"a"}, new(string), nil},
		{map[string]any{"a": int64(1)}, new(map[text]uint8), map[text]uint8{"a": 1}},
		{map[string]any{"a": int64(1)}, new(map[int]int), nil},
		{map[string]any{"a": "x"}, new(map[string]int), nil},
		{map[any]any{"a": int64(1)}, new(map[string]int), map[string]int{"a": 1}}, // as a pickle reader has it
		{map[any]any{1: int64(1)}, new(map[string]int), nil},
		{map[any]any{nil: int64(1)}, new(map[string]int), nil},
		{tuple{int64(1), "2"}, new([]int), []int{1, 2}},
		{tuple{int64(1), nil}, new([]any), []any{int64(1), nil}},
		{Array{Keys: []string{"0"}, Values: []any{int64(1)}, IsList: true}, new([]int), []int{1}},
		{Array{Keys: []string{"0"}, Values: []any{int64(1)}, IsList: true}, new(map[string]int), map[string]int{"0": 1}},
		{Array{Keys: []string{"0"}, Values: []any{int64(1)}, IsList: true}, new(*[]int), &[]int{1}},
		{Array{Keys: []string{"1"}, Values: []any{int64(1)}}, new([]int), nil},
		{Array{Keys: []string{"0"}, Values: []any{int64(1)}, IsList: true}, new(int), nil},
		{[]any{Array{IsList: true}}, new([]any), []any{Array{IsList: true}}}, // Arrays are only in Arrays
	} {
		err := Value(tc.into, tc.val)
		if tc.want == nil {
			if !errors.Is(err, ErrType) {
				t.Errorf("Value(%T, %T %v) = %v, want ErrType", tc.into, tc.val, tc.val, err)
			}
			continue
		}
		if got := reflect.ValueOf(tc.into).Elem().Interface(); err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("Value(%T, %T %v) gave %v, %v, want %v", tc.into, tc.val, tc.val, got, err, tc.want)
		}
	}
}

func addr(i int) *int { return &i }

func addr2(i int) **int { p := &i; return &p }

func TestBig_TakesTheSmallestTypeInAnAny(t *testing.T) {
	for _, tc := range []struct {
		digits string
		want   any
	}{
		{"1", int64(1)},
		{"9223372036854775807", int64(math.MaxInt64)},
		{"9223372036854775808", uint64(1 << 63)},
		{"18446744073709551615", uint64(math.MaxUint64)},
		{"18446744073709551616", new(big.Int).Lsh(big.NewInt(1), 64)},
		{"-9223372036854775808", int64(math.MinInt64)},
		{"0000000000000000000000000000007", int64(7)},
		{"-0000000000000000000000000000007", int64(-7)},
		{"+0000000009223372036854775808", uint64(1 << 63)},
	} {
		var v any
		if err := Digits(&v, []byte(tc.digits)); err != nil || !reflect.DeepEqual(v, tc.want) {
			t.Errorf("Digits(%s) gave %T %v, %v, want %T %v", tc.digits, v, v, err, tc.want, tc.want)
		}
	}
}

func TestAppendInteger(t *testing.T) {
	tooLong := new(big.Int).Exp(big.NewInt(10), big.NewInt(MaxDigits+1), nil)
	longest := new(big.Int).Exp(big.NewInt(10), big.NewInt(MaxDigits-1), nil)
	if _, ok := AppendInteger(nil, tooLong); ok {
		t.Error("an integer with too many digits was written")
	}
	digits, ok := AppendInteger(nil, longest)
	if !ok || len(digits) != MaxDigits {
		t.Errorf("AppendInteger wrote %d digits, %v, want %d", len(digits), ok, MaxDigits)
	}
	var back big.Int
	if err := Digits(&back, digits); err != nil || back.Cmp(longest) != 0 {
		t.Errorf("Digits of the longest integer: %v", err)
	}
	for _, v := range []any{1.5, "1", nil, true} {
		if _, ok := AppendInteger(nil, v); ok {
			t.Errorf("AppendInteger(%T) wrote", v)
		}
	}
}
