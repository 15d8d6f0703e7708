package stored

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// sampleBody is split into chunks of 400, 400 and 200 bytes.
func sampleBody() (parts *Entry, body []byte) {
	body = make([]byte, 1000)
	for i := range body {
		body[i] = byte(rand.Uint32())
	}
	return &Entry{BodyID: 5, Size: 1000, ChunkSize: 400}, body
}

// FuzzAppend has anything for the second of three chunks.
func FuzzAppend(f *testing.F) {
	f.Add([]byte(nil), byte(KindChunk), uint64(5))
	f.Add(append([]byte{1}, make([]byte, 400)...), byte(KindChunk), uint64(5))
	f.Add(append([]byte{1}, make([]byte, 401)...), byte(KindChunk), uint64(5))
	f.Add(append([]byte{2}, make([]byte, 400)...), byte(KindChunk), uint64(5))
	f.Add(append([]byte{1}, make([]byte, 400)...), byte(KindChunk), uint64(6))
	f.Add(append([]byte{1}, make([]byte, 400)...), byte(KindEntry), uint64(5))
	f.Fuzz(func(t *testing.T, rest []byte, kind byte, id uint64) {
		e, body := sampleBody()
		chunks := [][]byte{
			e.EncodeChunk(0, body),
			finish(append(begin(nil, Kind(kind), id), rest...)),
			e.EncodeChunk(2, body),
		}
		if !e.Append(0, chunks) {
			return
		}
		if kind != byte(KindChunk) || id != 5 || len(e.Body) != 1000 || !bytes.HasSuffix(rest, e.Body[400:800]) {
			t.Errorf("accepted %d bytes of kind %q and body %d as a chunk of 400", len(rest), kind, id)
		}
	})
}

func TestAppend_RefusesWhatIsNotTheWholeBody(t *testing.T) {
	sample, body := sampleBody()
	whole := func() [][]byte {
		return [][]byte{sample.EncodeChunk(0, body), sample.EncodeChunk(1, body), sample.EncodeChunk(2, body)}
	}
	assemble := func(chunks [][]byte) (*Entry, bool) {
		e := *sample
		ok := e.Append(0, chunks[:1]) && e.Append(1, chunks[1:])
		return &e, ok
	}
	if e, ok := assemble(whole()); !ok || !bytes.Equal(e.Body, body) {
		t.Fatal("the whole body was refused or came out different")
	}
	of := func(id uint64, i int) []byte {
		return (&Entry{BodyID: id, Size: 1000, ChunkSize: 400}).EncodeChunk(i, body)
	}
	tests := map[string]func(chunks [][]byte){
		"missing":             func(c [][]byte) { c[1] = nil },
		"of another response": func(c [][]byte) { c[1] = of(6, 1) },
		"of another place":    func(c [][]byte) { c[1] = of(5, 0) },
		"damaged":             func(c [][]byte) { c[1][30] ^= 1 },
		"short":               func(c [][]byte) { c[2] = (&Entry{BodyID: 5, Size: 999, ChunkSize: 400}).EncodeChunk(2, body) },
		"long": func(c [][]byte) {
			c[2] = (&Entry{BodyID: 5, Size: 1001, ChunkSize: 400}).EncodeChunk(2, append(body, 1))
		},
		"garbage":                func(c [][]byte) { c[1] = []byte("garbage") },
		"something of the cache": func(c [][]byte) { c[1] = Mark(KindLock, 5) },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			chunks := whole()
			spoil(chunks)
			if _, ok := assemble(chunks); ok {
				t.Errorf("a body with a chunk that is %s was accepted", name)
			}
		})
	}
}

func TestSplit_KeepsTheBodyWithinTheLimit(t *testing.T) {
	_, body := sampleBody()
	e := &Entry{ID: 5, BodyID: 5, Key: "key", Status: 200, Body: body}
	parts := e.Split(300)
	if parts == nil || parts.ID == e.ID || parts.BodyID == e.BodyID || parts.Body != nil {
		t.Fatalf("Split(300) = %+v, want a copy with IDs of its own and no body", parts)
	}
	var chunks [][]byte
	for i := range parts.Chunks() {
		chunks = append(chunks, parts.EncodeChunk(i, body))
		if value := parts.EncodeChunk(i, body); len(value) > 300 {
			t.Errorf("chunk %d has %d bytes, want 300 at most", i, len(value))
		}
	}
	if !parts.Append(0, chunks) || !bytes.Equal(parts.Body, body) {
		t.Error("the chunks do not make the body again")
	}
	if huge := (&Entry{Body: make([]byte, MaxChunks+1)}).Split(chunkOverhead + 1); huge != nil {
		t.Errorf("Split into %d chunks = %+v, want nil", MaxChunks+1, huge)
	}
}
