package store

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestNative_ComesBackAsItWentIn(t *testing.T) {
	for _, want := range []any{
		[]byte("bytes"),
		[]byte{},
		[]byte{0, 0xff},
		"text", "", "h\u00e9llo\x00", true, false,
		0, -1, math.MaxInt, math.MinInt, int8(math.MinInt8), int16(math.MaxInt16), int32(math.MinInt32), int64(math.MinInt64),
		uint(math.MaxUint), uint8(math.MaxUint8), uint16(math.MaxUint16), uint32(math.MaxUint32), uint64(math.MaxUint64), uintptr(1),
		float32(0.1), float32(math.MaxFloat32), 0.1, -1e300, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1), math.Copysign(0, -1),
	} {
		data, k, err := nativeBytes(want)
		if err != nil {
			t.Errorf("nativeBytes(%T %v) = %v", want, want, err)
			continue
		}
		if other, ok := kindOf(want); !ok || other != k {
			t.Errorf("kindOf(%T) = %d, %v, want %d", want, other, ok, k)
		}
		got, err := decodeNative(data, k)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%T %v came back as %T %v, %v", want, want, got, got, err)
		}
		if f, ok := want.(float64); ok && math.Signbit(got.(float64)) != math.Signbit(f) {
			t.Errorf("%v lost its sign", want)
		}
	}
	data, k, _ := nativeBytes(math.NaN())
	if got, err := decodeNative(data, k); err != nil || !math.IsNaN(got.(float64)) {
		t.Errorf("NaN came back as %v, %v", got, err)
	}
}

func TestNative_NumbersAreDecimalText(t *testing.T) {
	for v, want := range map[any]string{42: "42", int64(-7): "-7", uint8(255): "255", 1.5: "1.5", true: "true"} {
		if data, _, err := nativeBytes(v); err != nil || string(data) != want {
			t.Errorf("nativeBytes(%T %v) = %q, %v, want %q", v, v, data, err, want)
		}
	}
}

func TestNative_UnsupportedTypes(t *testing.T) {
	type named string
	for _, v := range []any{
		nil,
		struct{}{},
		[]string{},
		map[string]int{},
		named("x"), time.Second, errors.New("x"), new(int),
		complex(1, 1), func() {}, make(chan int),
		[2]byte{},
	} {
		data, _, err := nativeBytes(v)
		if !errors.Is(err, ErrValueType) || data != nil {
			t.Errorf("nativeBytes(%T) = %q, %v, want ErrValueType", v, data, err)
		}
	}
}

// DECREMENT leaves a space where a digit was.
func TestNative_PaddedNumber(t *testing.T) {
	if got, err := decodeNative([]byte("9 "), kindInt64); err != nil || got != int64(9) {
		t.Errorf("decodeNative(%q) = %v, %v, want 9", "9 ", got, err)
	}
}

func TestNative_CorruptIsAnErrorWithoutTheValue(t *testing.T) {
	for k := range kindEnvelope + 1 {
		if k == kindBytes || k == kindString {
			continue
		}
		got, err := decodeNative([]byte("secret"), k)
		if !errors.Is(err, ErrCorrupt) || got != nil {
			t.Errorf("decodeNative(kind %d) = %v, %v, want ErrCorrupt", k, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error %q shows the value", err)
		}
	}
	if got, err := decodeNative([]byte("300"), kindUint8); !errors.Is(err, ErrCorrupt) {
		t.Errorf("decodeNative(300 as uint8) = %v, %v, want ErrCorrupt", got, err)
	}
}

func FuzzDecodeNative(f *testing.F) {
	f.Add([]byte("42"), uint32(kindInt))
	f.Add([]byte("1e9"), uint32(kindFloat32))
	f.Add([]byte{}, uint32(kindBytes))
	f.Fuzz(func(t *testing.T, data []byte, k uint32) {
		v, err := decodeNative(data, kind(k))
		if err != nil {
			if !errors.Is(err, ErrCorrupt) || v != nil {
				t.Errorf("decodeNative(%q, %d) = %v, %v", data, k, v, err)
			}
			return
		}
		if got, ok := kindOf(v); !ok || got != kind(k) {
			t.Errorf("decodeNative(%q, %d) = %T, of kind %d", data, k, v, got)
		}
	})
}
