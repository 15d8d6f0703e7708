package codec

import (
	"fmt"
	"reflect"

	"github.com/bmemcached/bmemcached-go/binary/codec/internal/convert"
)

// Raw is the Codec of bytes and text: a []byte, a string, or a named type of
// either, is stored as it is, with flags 0. Everything else is ErrType; in
// particular Raw stores no numbers, for which a caller chooses between text and a
// Codec.
//
// Raw decodes into a *[]byte, a *string, a pointer to a named type of either, and a
// *any, which becomes a []byte. It ignores the flags: the bytes are the value,
// whoever stored it.
type Raw struct{}

var _ Codec = Raw{}

// Encode returns v's bytes. A []byte is returned itself, not copied.
func (Raw) Encode(v any) (data []byte, flags uint32, err error) {
	switch v := v.(type) {
	case []byte:
		return v, 0, nil
	case string:
		return []byte(v), 0, nil
	}
	switch rv := reflect.ValueOf(v); {
	case rv.Kind() == reflect.String:
		return []byte(rv.String()), 0, nil
	case rv.Kind() == reflect.Slice && rv.Type().Elem().Kind() == reflect.Uint8:
		return rv.Bytes(), 0, nil
	}
	return nil, 0, fmt.Errorf("codec: %w: Raw stores []byte and string, not %T; see JSON", ErrType, v)
}

// Decode sets v to a copy of data.
func (Raw) Decode(data []byte, flags uint32, v any) error { return decodeRaw(data, false, v) }

// decodeRaw is Decode for data that v may keep if it is owned.
func decodeRaw(data []byte, owned bool, v any) error {
	if !rawTarget(v) {
		return fmt.Errorf("codec: %w: Raw decodes into *[]byte, *string and *any, not %T", ErrType, v)
	}
	if err := convert.Bytes(v, data, owned); err != nil {
		return fmt.Errorf("codec: %w", err)
	}
	return nil
}

// rawTarget says whether v points to bytes, text or an any.
func rawTarget(v any) bool {
	switch v.(type) {
	case *[]byte, *string, *any:
		return true
	}
	t := reflect.TypeOf(v)
	if t == nil || t.Kind() != reflect.Pointer {
		return false
	}
	t = t.Elem()
	return t.Kind() == reflect.String || t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}
