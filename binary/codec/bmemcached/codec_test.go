package bmemcached_test

import (
	"bytes"
	"errors"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/bmemcached"
)

func TestDecode_IntoManyTypes(t *testing.T) {
	type myText string
	const (
		text, integer, long, raw = 0, bmemcached.FlagInteger, bmemcached.FlagLong, bmemcached.FlagBytes
	)
	for _, tc := range []struct {
		data  string
		flags uint32
		into  any
		want  any // nil: ErrType
	}{
		{"42", integer, new(int), 42},
		{"42", integer, new(uint8), uint8(42)},
		{"42", integer, new(float64), 42.0},
		{"42", integer, new(string), "42"},
		{"42", integer, new([]byte), []byte("42")},
		{"42", integer, new(any), int64(42)},
		{"42", integer, new(*int), ptr(42)},
		{"42", integer, new(time.Duration), time.Duration(42)},
		{"42", integer, new(big.Int), *big.NewInt(42)},
		{"42", integer, new(*big.Int), big.NewInt(42)},
		{"42", long, new(int64), int64(42)},
		{"9 ", integer, new(int), 9}, // padded by decrement
		{"+5", integer, new(int), 5},
		{"1", integer, new(bool), true},
		{"0", integer, new(bool), false},
		{"2", integer, new(bool), nil},
		{"300", integer, new(uint8), nil},
		{"-1", integer, new(uint), nil},
		{"18446744073709551616", integer, new(uint64), nil},
		{"18446744073709551616", integer, new(any), new(big.Int).Lsh(big.NewInt(1), 64)},
		{"9007199254740993", integer, new(float64), nil}, // 2^53+1
		{"42", integer, new([]int), nil},
		{"10", text, new(int), 10}, // a counter that the server created
		{"9 ", text, new(int64), int64(9)},
		{"10", text, new(uint16), uint16(10)},
		{"1.5", text, new(float64), 1.5},
		{"abc", text, new(int), nil},
		{"", text, new(int), nil},
		{"abc", text, new(myText), myText("abc")},
		{"abc", text, new([]byte), []byte("abc")},
		{"", text, new([]byte), []byte{}},
		{"\xff", text, new(string), "\xff"},
		{"abc", raw, new(string), "abc"},
		{"abc", raw, new(any), []byte("abc")},
		{"", raw, new(any), []byte{}},
		{"12", raw, new(int), 12},
		{"abc", raw, new(bool), nil},
		{"abc", text, nil, nil},
		{"abc", text, "no pointer", nil},
		{"abc", text, (*string)(nil), nil},
		{"42", integer, (*int64)(nil), nil},
		{"42", integer, (*big.Int)(nil), nil},
		{"abc", raw, (*[]byte)(nil), nil},
		{"abc", raw, (*any)(nil), nil},
		// The order in which python-binary-memcached looks at the flags.
		{"7", raw | integer, new(any), []byte("7")},
		{"7", integer | bmemcached.FlagPickle, new(any), int64(7)},
	} {
		err := bmemcached.Codec{}.Decode([]byte(tc.data), tc.flags, tc.into)
		if tc.want == nil {
			if !errors.Is(err, codec.ErrType) {
				t.Errorf("Decode(%q, %d) into %T = %v, want ErrType", tc.data, tc.flags, tc.into, err)
			}
			continue
		}
		if got := reflect.ValueOf(tc.into).Elem().Interface(); err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("Decode(%q, %d) into %T = %#v, %v, want %#v", tc.data, tc.flags, tc.into, got, err, tc.want)
		}
	}
}

func ptr[T any](v T) *T { return &v }

func TestDecode_CorruptValues(t *testing.T) {
	good, flags, err := bmemcached.Codec{}.Encode(strings.Repeat("abc ", 100))
	if err != nil || flags != bmemcached.FlagZlib {
		t.Fatalf("Encode gave flags %d, %v", flags, err)
	}
	for _, tc := range []struct {
		name, data string
		flags      uint32
		want       error
	}{
		{"no digits", "forty-two", bmemcached.FlagInteger, codec.ErrCorrupt},
		{"empty integer", "", bmemcached.FlagInteger, codec.ErrCorrupt},
		{"underscore", "1_000", bmemcached.FlagInteger, codec.ErrCorrupt},
		{"two signs", "--1" + strings.Repeat("0", 30), bmemcached.FlagInteger, codec.ErrCorrupt},
		{"endless integer", strings.Repeat("9", 5000), bmemcached.FlagInteger, codec.ErrTooLarge},
		{"not zlib", "plain", bmemcached.FlagZlib, codec.ErrCorrupt},
		{"cut zlib", string(good[:len(good)-2]), bmemcached.FlagZlib, codec.ErrCorrupt},
		{"flags of others", "x", 1 << 8, codec.ErrFlags},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, c := range []codec.Codec{bmemcached.Codec{}, bmemcached.Pylibmc{}} {
				var v any
				if err := c.Decode([]byte(tc.data), tc.flags, &v); !errors.Is(err, tc.want) || v != nil {
					t.Errorf("%T.Decode = %v, %v, want %v", c, v, err, tc.want)
				}
			}
		})
	}
}

func TestEncode_CompressesAboveTheThresholdWhenSmaller(t *testing.T) {
	at, above := strings.Repeat("a", 128), strings.Repeat("a", 129)
	for _, tc := range []struct {
		name  string
		codec codec.Codec
		v     any
		flags uint32
	}{
		{"at the default threshold", bmemcached.Codec{}, at, 0},
		{"above the default threshold", bmemcached.Codec{}, above, 8},
		{"bytes", bmemcached.Codec{}, []byte(above), 24},
		{"own threshold", bmemcached.Codec{CompressAbove: 10}, at, 8},
		{"never", bmemcached.Codec{CompressAbove: -1}, above, 0},
		{"not smaller", bmemcached.Codec{CompressAbove: 1}, "abcdef", 0},
		{"above what could be read back", bmemcached.Codec{MaxSize: 128}, above, 0},
		{"long integer", bmemcached.Codec{}, new(big.Int).Exp(big.NewInt(10), big.NewInt(200), nil), 10},
		{"pylibmc by default", bmemcached.Pylibmc{}, above, 16},
		{"pylibmc with a threshold", bmemcached.Pylibmc{CompressAbove: 128}, above, 24},
	} {
		t.Run(tc.name, func(t *testing.T) {
			data, flags, err := tc.codec.Encode(tc.v)
			if err != nil || flags != tc.flags {
				t.Fatalf("Encode gave flags %d, %v, want %d", flags, err, tc.flags)
			}
			out := reflect.New(reflect.TypeOf(tc.v))
			if err := tc.codec.Decode(data, flags, out.Interface()); err != nil || !reflect.DeepEqual(out.Elem().Interface(), tc.v) {
				t.Errorf("Decode = %.40v, %v, want %.40v", out.Elem(), err, tc.v)
			}
		})
	}
}

func TestDecode_BombIsRefused(t *testing.T) {
	data, flags, err := bmemcached.Codec{}.Encode(make([]byte, 1<<20))
	if err != nil || flags != 24 {
		t.Fatalf("Encode gave flags %d, %v", flags, err)
	}
	for _, c := range []codec.Codec{bmemcached.Codec{MaxSize: 1<<20 - 1}, bmemcached.Pylibmc{MaxSize: 1<<20 - 1}} {
		if err := c.Decode(data, flags, new([]byte)); !errors.Is(err, codec.ErrTooLarge) {
			t.Errorf("%T.Decode = %v, want ErrTooLarge", c, err)
		}
	}
	if err := (bmemcached.Codec{MaxSize: 1 << 20}).Decode(data, flags, new([]byte)); err != nil {
		t.Errorf("Decode of exactly MaxSize: %v", err)
	}
}

func TestEncode_TextThatPythonCannotReadIsRefused(t *testing.T) {
	for _, c := range []codec.Codec{bmemcached.Codec{}, bmemcached.Pylibmc{}} {
		if _, _, err := c.Encode("\xff"); !errors.Is(err, codec.ErrType) {
			t.Errorf("%T.Encode of a string that is not UTF-8 = %v, want ErrType", c, err)
		}
	}
}

func TestPickleHooks(t *testing.T) {
	failed := errors.New("hook failed")
	c := bmemcached.Codec{
		Unpickle: func(p []byte) (any, error) {
			switch string(p) {
			case "I01\n.":
				return true, nil
			case "N.":
				return nil, nil
			case "list":
				return []any{int64(1), "two"}, nil
			}
			return nil, failed
		},
		Pickle: func(v any) ([]byte, error) {
			if v == true {
				return []byte("I01\n."), nil
			}
			return nil, failed
		},
	}
	data, flags, err := c.Encode(true)
	if err != nil || flags != bmemcached.FlagPickle {
		t.Fatalf("Encode(true) = %q, %d, %v", data, flags, err)
	}
	var b bool
	if err := c.Decode(data, flags, &b); err != nil || !b {
		t.Errorf("Decode = %v, %v, want true", b, err)
	}
	var v any = "left over"
	if err := c.Decode([]byte("N."), 1, &v); err != nil || v != nil {
		t.Errorf("Decode(None) = %v, %v, want nil", v, err)
	}
	if err := c.Decode([]byte("N."), 1, &b); !errors.Is(err, codec.ErrType) {
		t.Errorf("Decode(None) into a bool = %v, want ErrType", err)
	}
	var list []string
	if err := c.Decode([]byte("list"), 1, &list); err != nil || !reflect.DeepEqual(list, []string{"1", "two"}) {
		t.Errorf("Decode(list) = %q, %v", list, err)
	}
	if _, _, err := c.Encode(3.5); !errors.Is(err, failed) {
		t.Errorf("Encode = %v, want the hook's error", err)
	}
	if err := c.Decode([]byte("?"), 1, &v); !errors.Is(err, failed) {
		t.Errorf("Decode = %v, want the hook's error", err)
	}
}

func TestPickleError_KeepsItsOwnBytes(t *testing.T) {
	data := []byte("cos\nsystem\n(S'echo'\ntR.")
	err := bmemcached.Codec{}.Decode(data, bmemcached.FlagPickle, new(any))
	want := string(data)
	clear(data)
	var pickle *bmemcached.PickleError
	var object *codec.ObjectError
	if !errors.As(err, &pickle) || string(pickle.Data) != want {
		t.Errorf("PickleError has %q, want %q", pickle.Data, want)
	}
	if !errors.As(err, &object) || object.Format != "pickle" || string(object.Data) != want {
		t.Errorf("ObjectError = %+v", object)
	}
	if !errors.Is(err, bmemcached.ErrPickle) || !errors.Is(err, codec.ErrObject) {
		t.Errorf("%v matches ErrPickle: %v, ErrObject: %v", err, errors.Is(err, bmemcached.ErrPickle), errors.Is(err, codec.ErrObject))
	}
	if strings.Contains(err.Error(), "system") {
		t.Errorf("the error shows the value: %v", err)
	}
}

func TestSerializeDeserialize(t *testing.T) {
	for _, v := range []any{"text", []byte("bytes"), int64(-3)} {
		data, flags, err := bmemcached.Serialize(v)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := bmemcached.Deserialize(data, flags); err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("Deserialize(Serialize(%v)) = %v, %v", v, got, err)
		}
	}
	if v, err := bmemcached.Deserialize([]byte("N."), 1); v != nil || !errors.Is(err, bmemcached.ErrPickle) {
		t.Errorf("Deserialize of a pickle = %v, %v, want ErrPickle", v, err)
	}
}

func TestDecode_KeepsNoReferenceToData(t *testing.T) {
	data := []byte("before")
	var b []byte
	if err := (bmemcached.Codec{}).Decode(data, bmemcached.FlagBytes, &b); err != nil {
		t.Fatal(err)
	}
	copy(data, "CHANGE")
	if !bytes.Equal(b, []byte("before")) {
		t.Error("what Decode set changed with data")
	}
}

func TestDecode_OfNumbersAllocatesNothing(t *testing.T) {
	data, into := []byte("1234567"), new(int64)
	var v any = into
	allocs := testing.AllocsPerRun(100, func() {
		if err := (bmemcached.Codec{}).Decode(data, bmemcached.FlagInteger, v); err != nil || *into != 1234567 {
			t.Errorf("Decode = %d, %v", *into, err)
		}
	})
	if allocs > 0 {
		t.Errorf("Decode of an integer allocates %v times", allocs)
	}
}
