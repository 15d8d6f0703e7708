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

// answers are those that nobody reads any more: with room for values of up to maxKept, and
// of up to maxPooled. A small response does not keep the room for a large one from others
// while its client does not read.
var answers, largeAnswers = sync.Pool{New: newAnswer}, sync.Pool{New: newAnswer}

func newAnswer() any { return new(answer) }

// maxPooled is the size up to which room for values is used again.
const maxPooled = 256 << 10

// recycle lets others use a.
func (a *answer) recycle() {
	switch size := cap(a.value); {
	case size <= maxKept:
		answers.Put(a)
	case size <= maxPooled:
		largeAnswers.Put(a)
	}
}

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
