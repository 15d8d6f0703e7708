package middleware

import (
	"context"
	"encoding/binary"
	"strconv"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

const (
	// maxItem is the largest value stored: memcached's default limit of 1 MiB
	// for an item, less its overhead and a key.
	maxItem = 1<<20 - 1024
	// minItem is the smallest that a server is expected to take.
	minItem = 8 << 10
	// maxOverhead bounds what an entry has besides its body, mostly header and
	// URL, which are not split.
	maxOverhead = 64 << 10
	// maxChunks bounds the parts of one body.
	maxChunks = 1 << 13
	// chunkOverhead is what a chunk has besides its part of the body.
	chunkOverhead = itemHeader + binary.MaxVarintLen64
)

// overhead estimates, from above, what an entry's value has besides the body.
func (e *entry) overhead() int64 {
	n := int64(itemHeader + len(e.full) + 128 + len(e.tags)*tagStampSize)
	for _, f := range e.fields {
		n += int64(len(f.name)) + 12
		for _, v := range f.values {
			n += int64(len(v)) + 10
		}
	}
	return n
}

// chunkKeys returns the keys of the chunks of e. The id of the entry is part of
// them: chunks of two responses are never mixed.
func (c *Cache) chunkKeys(e *entry) []string {
	if !e.chunked() {
		return nil
	}
	n := int((e.size + e.chunkSize - 1) / e.chunkSize)
	keys := make([]string, n, n+len(e.tags))
	prefix := c.keys.prefix + string(rune(letterChunk)) + strconv.FormatUint(e.id, 36) + "."
	for i := range keys {
		keys[i] = prefix + strconv.Itoa(i)
	}
	return keys
}

// putChunks stores the body of e in values of at most limit bytes and returns
// the entry that refers to them.
func (c *Cache) putChunks(ctx context.Context, e *entry, limit int64, ttl time.Duration) (*entry, error) {
	parts := *e
	parts.id = newID()
	parts.size = int64(len(e.body))
	parts.chunkSize = limit - chunkOverhead
	parts.body = nil
	if parts.size > maxChunks*parts.chunkSize {
		return nil, memcached.ErrTooLarge
	}
	keys := c.chunkKeys(&parts)
	items := make([]*memcached.Item, len(keys))
	for i, key := range keys {
		from := int64(i) * parts.chunkSize
		part := e.body[from:min(from+parts.chunkSize, parts.size)]
		items[i] = &memcached.Item{Key: key, Value: encodeChunk(parts.id, i, part), TTL: ttl}
	}
	return &parts, c.client.SetMulti(ctx, items)
}

func encodeChunk(id uint64, i int, part []byte) []byte {
	b := make([]byte, 0, chunkOverhead+len(part))
	b = appendItem(b, kindChunk, id)
	b = binary.AppendUvarint(b, uint64(i))
	return sealItem(append(b, part...))
}

// assemble puts the body together, or reports false if a part is missing, of
// another response, or damaged.
func (e *entry) assemble(items map[string]*memcached.Item, keys []string) bool {
	body := make([]byte, 0, e.size)
	for i, key := range keys {
		item := items[key]
		if item == nil {
			return false
		}
		kind, id, rest, err := openItem(item.Value)
		if err != nil || kind != kindChunk || id != e.id {
			return false
		}
		d := decoder{rest}
		if n := d.uvarint(); d.failed() || n != uint64(i) {
			return false
		}
		body = append(body, d.rest...)
	}
	if int64(len(body)) != e.size {
		return false
	}
	e.body = body
	return true
}
