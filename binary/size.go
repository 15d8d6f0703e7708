package memcached

import "fmt"

const (
	// maxKeyAndValue is how many bytes of key and value together fit a server
	// with an item size of 1 MiB that keeps versions, when the item has no flags
	// [seen on 1.6]. Flags take flagsOverhead of them.
	maxKeyAndValue = 1_048_517
	flagsOverhead  = 4
	// frameSlack is how much larger than an item a frame may be.
	frameSlack = 1 << 20
)

// checkSize refuses what a server would refuse too, but only after it has
// deleted the old value (proto_bin.c).
func (c *Client) checkSize(item *Item) error {
	limit := c.opts.MaxItemSize
	if limit == 0 {
		limit = maxKeyAndValue - len(c.opts.Prefix) - len(item.Key)
		if item.Flags != 0 {
			limit -= flagsOverhead
		}
	}
	if len(item.Value) > limit {
		return tooLarge(len(item.Value), limit)
	}
	return nil
}

// notRead is the error of a value that the server has and the client does not
// take.
func notRead(size, limit int) error {
	return fmt.Errorf("%w: the server has %d bytes where up to %d are read (see Options.MaxItemSize)", ErrTooLarge, size, limit)
}

func tooLarge(size, limit int) error {
	return fmt.Errorf("%w: %d bytes where %d fit; nothing was sent (see Options.MaxItemSize)", ErrTooLarge, size, limit)
}
