package stored

import "encoding/binary"

const (
	// MaxValue is the largest value stored: memcached's default limit of 1 MiB
	// for an item, less its overhead and a key.
	MaxValue = 1<<20 - 1024
	// MaxOverhead bounds what an entry has besides its body, mostly header and
	// URL, which are not split.
	MaxOverhead = 64 << 10
	// MaxChunks bounds the parts of one body.
	MaxChunks = 1 << 13
	// chunkOverhead is what a chunk has besides its part of the body.
	chunkOverhead = headerSize + binary.MaxVarintLen64
)

// Split returns a copy of e, with an ID of its own, whose body is in chunks: as
// values they have at most limit bytes. It returns nil if they would be too many.
func (e *Entry) Split(limit int64) *Entry {
	parts := *e
	parts.ID = NewID()
	parts.Size = int64(len(e.Body))
	parts.ChunkSize = limit - chunkOverhead
	parts.Body = nil
	if parts.Size > MaxChunks*parts.ChunkSize {
		return nil
	}
	return &parts
}

// Chunked reports whether the body is kept in chunks.
func (e *Entry) Chunked() bool { return e.ChunkSize > 0 }

// Chunks returns the number of chunks.
func (e *Entry) Chunks() int {
	if !e.Chunked() {
		return 0
	}
	return int((e.Size + e.ChunkSize - 1) / e.ChunkSize)
}

// EncodeChunk returns the value of chunk i of body.
func (e *Entry) EncodeChunk(i int, body []byte) []byte {
	from := int64(i) * e.ChunkSize
	part := body[from:min(from+e.ChunkSize, e.Size)]
	b := make([]byte, 0, chunkOverhead+len(part))
	b = begin(b, KindChunk, e.ID)
	b = binary.AppendUvarint(b, uint64(i))
	return finish(append(b, part...))
}

// Assemble puts the body together from the values of its chunks, or reports
// false if one is missing (nil), of another response, or damaged.
func (e *Entry) Assemble(chunk func(i int) []byte) bool {
	body := make([]byte, 0, e.Size)
	for i := range e.Chunks() {
		v, err := Open(chunk(i))
		if err != nil || v.Kind != KindChunk || v.ID != e.ID {
			return false
		}
		d := decoder{v.rest}
		if n := d.uvarint(); d.failed() || n != uint64(i) {
			return false
		}
		body = append(body, d.rest...)
	}
	if int64(len(body)) != e.Size {
		return false
	}
	e.Body = body
	return true
}
