package convert

import (
	"fmt"
	"math/big"
	"reflect"

	"github.com/bmemcached/bmemcached-go/binary/codec/internal/limit"
)

// Text decodes text into dst, which keeps no reference to it. It becomes a string
// in an any; a number where dst is one and text is one in decimal.
func Text(dst any, text []byte) error {
	switch dst := dst.(type) {
	case *string:
		if dst != nil {
			*dst = string(text)
			return nil
		}
	case *[]byte:
		if dst != nil {
			*dst = clone(text)
			return nil
		}
	case *int64, *int, *uint64, *big.Int:
		return number(dst, text)
	}
	return Value(dst, string(text))
}

// Bytes decodes data into dst. It becomes a []byte in an any, and is otherwise like
// Text. With owned, dst may keep data; without, it gets a copy.
func Bytes(dst any, data []byte, owned bool) error {
	switch dst := dst.(type) {
	case *string, *int64, *int, *uint64, *big.Int:
		return Text(dst, data)
	case *[]byte:
		if dst != nil {
			if !owned {
				data = clone(data)
			}
			*dst = data
			return nil
		}
	}
	return Value(dst, clone(data))
}

// clone returns a copy that is never nil, because an empty value is a value.
func clone(b []byte) []byte { return append(make([]byte, 0, len(b)), b...) }

// number decodes decimal text into a numeric dst.
func number(dst any, text []byte) error {
	if err := Digits(dst, text); err != ErrNotNumber {
		return err
	}
	return fmt.Errorf("%w: text that is no number into %T", ErrType, dst)
}

// Value decodes val, which dst may keep, into dst. val is nil, a bool, any integer,
// float, string or []byte, a *big.Int, a time.Time, or a slice, map or Array of
// these.
func Value(dst, val any) error {
	if p, ok := dst.(*any); ok && p != nil {
		*p = plain(val)
		return nil
	}
	rv := reflect.ValueOf(dst)
	if rv.Kind() != reflect.Pointer || rv.IsNil() {
		return fmt.Errorf("%w: cannot decode into %T, which is not a non-nil pointer", ErrType, dst)
	}
	return new(converter).set(rv.Elem(), val)
}

// mismatch is the error of a value that does not fit. It names types only, because
// values may be secret.
func mismatch(dst reflect.Value, val any) error {
	return fmt.Errorf("%w: %T into %s", ErrType, val, dst.Type())
}

// set decodes val into dst, which is settable.
func (c *converter) set(dst reflect.Value, val any) error {
	if val == nil {
		return setNil(dst)
	}
	if a, ok := val.(Array); ok && dst.Kind() != reflect.Pointer {
		return c.setArray(dst, a)
	}
	rv := reflect.ValueOf(val)
	if rv.Type().AssignableTo(dst.Type()) {
		dst.Set(rv)
		return nil
	}
	if dst.Type() == bigInt {
		return c.setBig(dst, val)
	}
	if dst.Kind() == reflect.Pointer {
		elem := reflect.New(dst.Type().Elem())
		if err := c.set(elem.Elem(), val); err != nil {
			return err
		}
		dst.Set(elem)
		return nil
	}
	switch rv.Kind() {
	case reflect.Bool:
		return setBool(dst, rv.Bool(), val)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return setInt(dst, rv.Int(), val)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return setUint(dst, rv.Uint(), val)
	case reflect.Float32, reflect.Float64:
		return setFloat(dst, rv.Float(), val)
	case reflect.String:
		return c.setText(dst, []byte(rv.String()), val)
	}
	switch val := val.(type) {
	case []byte:
		return c.setText(dst, val, val)
	case *big.Int:
		if val.BitLen() > MaxBits { // writing it takes quadratic time
			return limit.Exceeded(limit.Digits, MaxDigits)
		}
		return c.setText(dst, val.Append(nil, 10), val)
	}
	switch rv.Kind() {
	case reflect.Slice:
		return c.setList(dst, rv)
	case reflect.Map:
		return c.setMap(dst, rv)
	}
	return mismatch(dst, val)
}
