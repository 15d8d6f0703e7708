package store

import (
	"io"
	"sync"
)

// closer closes once.
type closer struct {
	once sync.Once
	err  error
}

// Close closes the client if Options.OwnsClient says so, and otherwise does
// nothing: the client may have other users. Calling it again returns the same.
func (b *base) Close() error {
	if !b.opts.OwnsClient {
		return nil
	}
	b.closer.once.Do(func() {
		if c, ok := b.client.(io.Closer); ok {
			b.closer.err = c.Close()
		}
	})
	return b.closer.err
}
