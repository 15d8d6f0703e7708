package session

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"reflect"
)

// Codec encodes the values of a session, one at a time. Strings, bools, int,
// int64, uint64, float64, []byte, time.Time and []any are stored by the package
// itself, exactly; the codec gets what is of another type, keys included.
//
// What Decode returns must have the type that Encode was given, or the
// application would find another type than it stored. Both must be safe for
// concurrent use.
type Codec interface {
	Encode(v any) ([]byte, error)
	Decode(data []byte) (any, error)
}

// gobCodec is the default. Types must be known to encoding/gob: see
// gob.Register.
type gobCodec struct{}

func (gobCodec) Encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	if err := gob.NewEncoder(&buf).Encode(&v); err != nil {
		return nil, fmt.Errorf("%w (gob.Register makes types known)", err)
	}
	return buf.Bytes(), nil
}

func (gobCodec) Decode(data []byte) (v any, err error) {
	err = gob.NewDecoder(bytes.NewReader(data)).Decode(&v)
	return v, err
}

// values are the encoded values of a session by encoded key. A map is not
// changed once made, and the bytes are shared.
type values map[string][]byte

var errDuplicateKey = errors.New("session: two keys are encoded alike")

// encodeValues encodes what a handler sees.
func encodeValues(plain map[any]any, codec Codec) (values, error) {
	encoded := make(values, len(plain))
	var buf []byte
	for k, v := range plain {
		start := len(buf)
		var err error
		if buf, err = appendValue(buf, k, codec, 0); err != nil {
			return nil, err
		}
		middle := len(buf)
		if buf, err = appendValue(buf, v, codec, 0); err != nil {
			return nil, err
		}
		key := string(buf[start:middle])
		if _, ok := encoded[key]; ok {
			return nil, errDuplicateKey
		}
		encoded[key] = buf[middle:len(buf):len(buf)]
	}
	return encoded, nil
}

// decode fills plain with what v holds.
func (v values) decode(plain map[any]any, codec Codec) error {
	for k, data := range v {
		key, err := decodeValue([]byte(k), codec, 0)
		if err != nil {
			return err
		}
		if key != nil && !reflect.ValueOf(key).Comparable() {
			return undecodable("a key that no map can have")
		}
		if plain[key], err = decodeValue(data, codec, 0); err != nil {
			return err
		}
	}
	return nil
}

// sameValue reports whether two encodings stand for equal values. Encodings of
// maps differ from one time to the next, so unequal bytes alone say nothing.
func sameValue(a, b []byte, codec Codec) bool {
	if bytes.Equal(a, b) {
		return true
	}
	if !canVary(a) || !canVary(b) {
		return false
	}
	x, err := decodeValue(a, codec, 0)
	if err != nil {
		return false
	}
	y, err := decodeValue(b, codec, 0)
	return err == nil && reflect.DeepEqual(x, y)
}

// canVary reports whether equal values can have other encodings than this one.
func canVary(encoded []byte) bool {
	return len(encoded) > 0 && (encoded[0] == kindCodec || encoded[0] == kindList)
}
