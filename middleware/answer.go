package middleware

import (
	"context"
	"sync"

	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// answer is what memcached has for a page, and room for it.
type answer struct {
	value []byte
	whole bool         // value is an entry
	entry stored.Entry // its body is in value
}

// answers are those of joint lookups that nobody reads any more.
var answers = sync.Pool{New: func() any { return new(answer) }}

// read asks for the value of a page, and decodes it if it is an entry.
func (a *answer) read(ctx context.Context, client Client, page string) error {
	a.whole = false
	value, _, err := client.AppendValue(ctx, a.value[:0], page)
	if value != nil {
		a.value = value
	}
	if err != nil {
		return err
	}
	v, err := stored.Open(value)
	a.whole = err == nil && v.Entry(&a.entry, page) == nil
	return nil
}
