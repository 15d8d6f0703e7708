package middleware

import (
	"context"
	"strconv"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// minValue is the smallest value that a server is expected to take.
const minValue = 8 << 10

// chunkKeys returns the keys of the chunks of e. The ID of the entry is part of
// them: chunks of two responses are never mixed.
func (c *Cache) chunkKeys(e *stored.Entry) []string {
	if !e.Chunked() {
		return nil
	}
	n := e.Chunks()
	keys := make([]string, n, n+len(e.Tags))
	prefix := c.keys.prefix + string(rune(letterChunk)) + strconv.FormatUint(e.ID, 36) + "."
	for i := range keys {
		keys[i] = prefix + strconv.Itoa(i)
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
	keys := c.chunkKeys(parts)
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
