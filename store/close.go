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

func (c *core) close() error {
	if c.locks {
		c.loads.close()
	}
	if !c.opts.OwnsClient {
		return nil
	}
	c.closer.once.Do(func() {
		if owned, ok := c.client.(io.Closer); ok {
			c.closer.err = owned.Close()
		}
	})
	return c.closer.err
}
