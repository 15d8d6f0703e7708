package middleware

import (
	"context"
	"strconv"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// chunksAtOnce bounds the chunks that are fetched before the first are looked at: an
// entry can claim more than there is, and what it leads to can be longer than it says.
const chunksAtOnce = 16

// chunkKeys returns the keys of the chunks of e in a range. The ID of the body is
// part of them: chunks of two responses are never mixed.
func (c *Cache) chunkKeys(e *stored.Entry, from, to int) []string {
	keys := make([]string, 0, to-from+len(e.Tags))
	prefix := c.keys.prefix + string(rune(letterChunk)) + strconv.FormatUint(e.BodyID, 36) + "."
	for i := from; i < to; i++ {
		keys = append(keys, prefix+strconv.Itoa(i))
	}
	return keys
}

// putChunks stores the body of e in values of at most limit bytes and returns
// the entry that refers to them.
func (c *Cache) putChunks(ctx context.Context, e *stored.Entry, limit int64, ttl time.Duration) (*stored.Entry, error) {
	parts := e.Split(limit)
	if parts == nil {
		return nil, memcached.ErrTooLarge
	}
	keys := c.chunkKeys(parts, 0, parts.Chunks())
	items := make([]*memcached.Item, len(keys))
	for i, key := range keys {
		items[i] = &memcached.Item{Key: key, Value: parts.EncodeChunk(i, e.Body), TTL: ttl}
	}
	return parts, c.client.SetMulti(ctx, items)
}

// valueOf returns the value of an item of a multi-get, or nil if there is none.
func valueOf(item *memcached.Item) []byte {
	if item == nil {
		return nil
	}
	return item.Value
}
