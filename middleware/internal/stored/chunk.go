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
	// MinValue is the smallest limit for values that Split is given, because every
	// server takes values of that length.
	MinValue = 8 << 10
	// minChunk bounds how many chunks a body can be said to have.
	minChunk = MinValue - chunkOverhead
	// chunkOverhead is what a chunk has besides its part of the body.
	chunkOverhead = headerSize + binary.MaxVarintLen64
)

// Split returns a copy of e, with an ID of its own, whose body is in chunks, under an
// ID of their own: as values they have at most limit bytes. It returns nil if they would
// be too many.
func (e *Entry) Split(limit int64) *Entry {
	parts := *e
	parts.ID, parts.BodyID = NewID(), NewID()
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
	b = begin(b, KindChunk, e.BodyID)
	b = binary.AppendUvarint(b, uint64(i))
	return finish(append(b, part...))
}

// Append appends to the body, which is complete up to there, the values of the
// chunks from the given one on, or reports false if one is missing (nil), of another
// response, or damaged. Only what is there takes room.
func (e *Entry) Append(from int, values [][]byte) bool {
	for i, value := range values {
		part, ok := e.openChunk(from+i, value)
		if !ok {
			return false
		}
		if e.Body == nil {
			e.Body = make([]byte, 0, e.Size)
		}
		e.Body = append(e.Body, part...)
	}
	return true
}

// openChunk returns the part of the body that is in chunk i.
func (e *Entry) openChunk(i int, value []byte) ([]byte, bool) {
	v, err := Open(value)
	if err != nil || v.Kind != KindChunk || v.ID != e.BodyID {
		return nil, false
	}
	d := decoder{v.rest}
	n := d.uvarint()
	size := min(e.ChunkSize, e.Size-int64(i)*e.ChunkSize)
	return d.rest, !d.failed() && n == uint64(i) && int64(len(d.rest)) == size
}
