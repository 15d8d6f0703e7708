package codec

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/bmemcached/bmemcached-go/binary/codec/internal/limit"
)

// JSON is the Codec of everything that encoding/json marshals, with flags 0. Any
// client of any language that reads text can read it.
//
// It decodes as encoding/json does: numbers in an any become float64. What exceeds
// MaxElements or MaxDigits is neither read nor stored.
type JSON struct {
	// MaxElements limits what lists and maps may hold, counted as the constant
	// MaxElements is; above it Encode and Decode return ErrTooLarge. 0: MaxElements.
	MaxElements int
}

var _ Codec = JSON{}

// maxDepthJSON is encoding/json's own limit.
const maxDepthJSON = 10_000

// Encode returns v as JSON.
func (c JSON) Encode(v any) (data []byte, flags uint32, err error) {
	data, err = json.Marshal(v)
	if err == nil {
		err = withinLimits(data, elementsOr(c.MaxElements))
	}
	if err == nil {
		return data, 0, nil
	}
	var unsupported *json.UnsupportedTypeError
	if errors.As(err, &unsupported) {
		return nil, 0, fmt.Errorf("codec: %w: %w", ErrType, err)
	}
	return nil, 0, fmt.Errorf("codec: %w", err)
}

// elementsOr is the limit that an option means.
func elementsOr(option int) int {
	if option <= 0 {
		return MaxElements
	}
	return option
}

// Decode sets v to what the JSON in data says. It looks at the flags only to
// explain a failure.
func (c JSON) Decode(data []byte, flags uint32, v any) error {
	err := withinLimits(data, elementsOr(c.MaxElements))
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	var (
		syntax   *json.SyntaxError
		mismatch *json.UnmarshalTypeError
		target   *json.InvalidUnmarshalError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax) && flags&compressedFlags != 0:
		return fmt.Errorf("codec: %w: the value is compressed, wrap JSON in Compressed", ErrFlags)
	case errors.As(err, &syntax) && strings.HasSuffix(syntax.Error(), "exceeded max depth"):
		return fmt.Errorf("codec: %w", limit.Exceeded(limit.Depth, maxDepthJSON))
	case errors.As(err, &syntax):
		return fmt.Errorf("codec: %w: not JSON at offset %d", ErrCorrupt, syntax.Offset)
	case errors.As(err, &mismatch):
		// The original text shows the number that does not fit.
		kind, _, _ := strings.Cut(mismatch.Value, " ")
		return fmt.Errorf("codec: %w: JSON %s into %s", ErrType, kind, mismatch.Type)
	case errors.As(err, &target):
		return fmt.Errorf("codec: %w: %w", ErrType, err)
	}
	return fmt.Errorf("codec: %w", err)
}
