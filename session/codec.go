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
// itself, exactly; values and keys of other types go through the codec.
//
// Decode must return the type that Encode was given: the application finds in
// its session what Decode returns. Both must be safe for concurrent use.
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

// values are the encoded values of a session by encoded key. Once made they
// are not changed.
type values map[string]string

var errDuplicateKey = errors.New("session: two keys are encoded alike")

// encodeValues encodes what a handler sees.
func encodeValues(plain map[any]any, codec Codec) (values, error) {
	encoded := make(values, len(plain))
	var buf []byte
	for k, v := range plain {
		var err error
		if buf, err = appendValue(buf[:0], k, codec, 0); err != nil {
			return nil, err
		}
		key := string(buf)
		if _, ok := encoded[key]; ok {
			return nil, errDuplicateKey
		}
		if buf, err = appendValue(buf[:0], v, codec, 0); err != nil {
			return nil, err
		}
		encoded[key] = string(buf)
	}
	return encoded, nil
}

// decodeInto puts one key and its value into what a handler sees.
func decodeInto(plain map[any]any, k, v string, codec Codec) error {
	key, err := decodeValue(k, codec, 0)
	if err != nil {
		return err
	}
	if _, text := key.(string); !text && key != nil && !reflect.ValueOf(key).Comparable() {
		return undecodable("a key that no map can have")
	}
	plain[key], err = decodeValue(v, codec, 0)
	return err
}

// sameValue reports whether two encodings stand for equal values. Encodings of
// maps differ from one time to the next, so unequal bytes alone say nothing.
func sameValue(a, b string, codec Codec) bool {
	if a == b {
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
func canVary(encoded string) bool {
	return len(encoded) > 0 && (encoded[0] == kindCodec || encoded[0] == kindList)
}
