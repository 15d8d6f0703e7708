package main

import (
	"errors"
	"fmt"
	"strings"
)

// keyCount is how many keys a data set usually has: a power of two, so that a
// caller picks one with a mask.
const keyCount = 1 << 14

// errWrongValue ends the whole run: a client that delivers it has no result.
var errWrongValue = errors.New("bench: a client delivered a wrong value")

// dataset is a set of keys with values of one size. A value starts with its own
// key, so that every delivered value is checked by one comparison.
type dataset struct {
	size int
	keys []string
}

// newDataset names count keys of a set; size is that of each value, in bytes.
func newDataset(size, count int) *dataset {
	d := &dataset{size: size, keys: make([]string, count)}
	for i := range d.keys {
		d.keys[i] = fmt.Sprintf("bench:%d:%05d:%08d", count, size, i)
	}
	return d
}

// renamed puts a prefix before the set's keys, spaces in it replaced.
func (d *dataset) renamed(prefix string) *dataset {
	for i, key := range d.keys {
		d.keys[i] = strings.ReplaceAll(prefix, " ", "-") + ":" + key
	}
	return d
}

// fill makes buf, of the set's value size, the value of key.
func (d *dataset) fill(buf []byte, key string) { copy(buf, key) }

// buffer returns a value's worth of bytes, ready for fill.
func (d *dataset) buffer() []byte {
	buf := make([]byte, d.size)
	for i := range buf {
		buf[i] = 'a' + byte(i%26)
	}
	return buf
}

// check tells whether value is what the set holds under key.
func (d *dataset) check(key string, value []byte) error {
	if len(value) != d.size || string(value[:len(key)]) != key {
		return fmt.Errorf("%w: %d bytes under %s, want %d that start with the key",
			errWrongValue, len(value), key, d.size)
	}
	return nil
}

// preload stores every step-th key from start on.
func (d *dataset) preload(c Client, start, step int) error {
	buf := d.buffer()
	for i := start; i < len(d.keys); i += step {
		key := d.keys[i]
		d.fill(buf, key)
		if err := c.Set(key, buf); err != nil {
			return fmt.Errorf("bench: preloading: %w", err)
		}
	}
	return nil
}
