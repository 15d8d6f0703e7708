package convert

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
)

var bigInt = reflect.TypeFor[big.Int]()

// setBig decodes an integer into a big.Int.
func (c *converter) setBig(dst reflect.Value, val any) error {
	b := dst.Addr().Interface().(*big.Int)
	switch val := val.(type) {
	case *big.Int:
		b.Set(val)
	case int64:
		b.SetInt64(val)
	case uint64:
		b.SetUint64(val)
	case string:
		return c.number(b, []byte(val))
	case []byte:
		return c.number(b, val)
	default:
		i, ok := Signed(val)
		if !ok {
			return mismatch(dst, val)
		}
		b.SetInt64(i)
	}
	return nil
}

func setNil(dst reflect.Value) error {
	switch dst.Kind() {
	case reflect.Interface, reflect.Pointer, reflect.Map, reflect.Slice:
		dst.SetZero()
		return nil
	}
	return fmt.Errorf("%w: the value is null, into %s", ErrType, dst.Type())
}

func setBool(dst reflect.Value, b bool, val any) error {
	if dst.Kind() != reflect.Bool {
		return mismatch(dst, val)
	}
	dst.SetBool(b)
	return nil
}

func setInt(dst reflect.Value, i int64, val any) error {
	switch {
	case dst.CanInt() && !dst.OverflowInt(i):
		dst.SetInt(i)
	case dst.CanUint() && i >= 0 && !dst.OverflowUint(uint64(i)):
		dst.SetUint(uint64(i))
	case dst.CanFloat() && exact(float64(i), dst) && float64(i) < 1<<63 && int64(float64(i)) == i:
		dst.SetFloat(float64(i))
	case dst.Kind() == reflect.Bool && (i == 0 || i == 1):
		// pylibmc and PHP store a boolean as an integer or lose it to one.
		dst.SetBool(i == 1)
	case textual(dst):
		setString(dst, strconv.AppendInt(nil, i, 10))
	default:
		return mismatch(dst, val)
	}
	return nil
}

func setUint(dst reflect.Value, u uint64, val any) error {
	switch {
	case u <= math.MaxInt64:
		return setInt(dst, int64(u), val)
	case dst.CanUint() && !dst.OverflowUint(u):
		dst.SetUint(u)
	case dst.CanFloat() && exact(float64(u), dst) && float64(u) < 1<<64 && uint64(float64(u)) == u:
		dst.SetFloat(float64(u))
	case textual(dst):
		setString(dst, strconv.AppendUint(nil, u, 10))
	default:
		return mismatch(dst, val)
	}
	return nil
}

// setFloat decodes f. A float32 rounds, as Go's conversion does; an integer takes
// only what is one.
func setFloat(dst reflect.Value, f float64, val any) error {
	switch {
	case dst.CanFloat() && !dst.OverflowFloat(f):
		dst.SetFloat(f)
	case (dst.CanInt() || dst.CanUint()) && f == math.Trunc(f) && math.Abs(f) < 1<<63:
		return setInt(dst, int64(f), val)
	case textual(dst):
		setString(dst, strconv.AppendFloat(nil, f, 'g', -1, 64))
	default:
		return mismatch(dst, val)
	}
	return nil
}

// exact says whether dst, a float, holds f without rounding.
func exact(f float64, dst reflect.Value) bool {
	return dst.Kind() == reflect.Float64 || float64(float32(f)) == f
}

// textual says whether dst is a string or a slice of bytes.
func textual(dst reflect.Value) bool {
	return dst.Kind() == reflect.String ||
		dst.Kind() == reflect.Slice && dst.Type().Elem().Kind() == reflect.Uint8
}

// setString sets dst, which is textual, to text, which it may keep.
func setString(dst reflect.Value, text []byte) {
	if dst.Kind() == reflect.String {
		dst.SetString(string(text))
	} else {
		dst.SetBytes(text)
	}
}

// number decodes decimal text into a big.Int.
func (c *converter) number(b *big.Int, text []byte) error {
	if err := c.spend(text); err != nil {
		return err
	}
	return number(b, text)
}

// setText decodes text, which dst may keep.
func (c *converter) setText(dst reflect.Value, text []byte, val any) error {
	if textual(dst) {
		setString(dst, text)
		return nil
	}
	if !dst.CanFloat() && !dst.CanInt() && !dst.CanUint() {
		return mismatch(dst, val)
	}
	if len(text) > MaxDigits+1 {
		return tooLong(text, mismatch(dst, val))
	}
	if err := c.spend(text); err != nil {
		return err
	}
	if !dst.CanFloat() {
		return setDigits(dst, text, val)
	}
	f, err := strconv.ParseFloat(string(bytes.TrimSpace(text)), dst.Type().Bits())
	if err != nil {
		return mismatch(dst, val)
	}
	dst.SetFloat(f)
	return nil
}

// setDigits decodes decimal text into an integer dst.
func setDigits(dst reflect.Value, text []byte, val any) error {
	text = bytes.TrimSpace(text)
	if dst.CanInt() {
		if i, err := strconv.ParseInt(string(text), 10, dst.Type().Bits()); err == nil {
			dst.SetInt(i)
			return nil
		}
	} else if u, err := strconv.ParseUint(string(text), 10, dst.Type().Bits()); err == nil {
		dst.SetUint(u)
		return nil
	}
	return mismatch(dst, val)
}
