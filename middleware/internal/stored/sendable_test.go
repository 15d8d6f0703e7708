package stored

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// TestEntry_ForgedHeaderIsGarbage: what would split a response, or frame it otherwise
// than its body, does not come out of memcached.
func TestEntry_ForgedHeaderIsGarbage(t *testing.T) {
	tests := map[string]Field{
		"lower case":                {"transfer-encoding", Set, []string{"chunked"}},
		"Transfer-Encoding":         {"Transfer-Encoding", Set, []string{"chunked"}},
		"Connection":                {"Connection", Set, []string{"keep-alive"}},
		"Upgrade":                   {"Upgrade", Add, []string{"h2c"}},
		"Trailer":                   {"Trailer", Set, []string{"X"}},
		"a trailer":                 {"Trailer:X", Set, []string{"1"}},
		"a longer body":             {"Content-Length", Set, []string{"5"}},
		"a shorter body":            {"Content-Length", Set, []string{"3"}},
		"a length written oddly":    {"Content-Length", Set, []string{"+4"}},
		"two lengths":               {"Content-Length", Set, []string{"4", "4"}},
		"a length beside another":   {"Content-Length", Add, []string{"4"}},
		"a line end in a value":     {"X-A", Set, []string{"1\r\nX-B: 2"}},
		"a line feed in a value":    {"X-A", Set, []string{"1\n"}},
		"a zero in a value":         {"X-A", Set, []string{"\x00"}},
		"a line end in a name":      {"X-A\r\nX-B", Set, []string{"1"}},
		"a colon in a name":         {"X-A:", Set, []string{"1"}},
		"a space in a name":         {"X A", Set, []string{"1"}},
		"no name":                   {"", Set, []string{"1"}},
		"a name of another script":  {"X-Ä", Set, []string{"1"}},
		"a removed field, forged":   {"Transfer-Encoding", Remove, nil},
		"a removed length, forged":  {"Content-Length", Remove, []string{"4"}},
		"more values than sendable": {"X-A", Set, make([]string, maxFields+1)},
	}
	for name, field := range tests {
		t.Run(name, func(t *testing.T) {
			e := sampleEntry()
			e.Fields = []Field{field}
			if _, err := decode(e.Encode()); err == nil {
				t.Errorf("%q is accepted", field)
			}
		})
	}
	good := sampleEntry()
	good.Fields = []Field{Only("Content-Length", "4"), Only("X-A", "tab\tand ünïcode, \xff")}
	if _, err := decode(good.Encode()); err != nil {
		t.Errorf("%q: %v, want an entry", good.Fields, err)
	}
}

// TestEntry_CostsWhatItIsLong: what a forged value claims takes no memory.
func TestEntry_CostsWhatItIsLong(t *testing.T) {
	const size = 1 << 20
	header := func(fields []byte, tags uint64) []byte {
		b := AppendFramed(begin(nil, KindEntry, 1), "key")
		b = append(b, 0, 200, 1)
		b = append(b, 0, 0, 0, 0, 0)
		b = binary.AppendUvarint(b, tags)
		b = append(b, make([]byte, tags*tagSize)...)
		return finish(AppendFramed(b, fields))
	}
	count := func(n uint64) []byte { return binary.AppendUvarint(nil, n) }
	forged := map[string][]byte{
		"fields": header(append(append(count(size/3), 0), make([]byte, size)...), 0),
		"values": header(append(append([]byte{0}, count(size)...), make([]byte, size)...), 0),
		"tags":   header([]byte{0, 0}, size/tagSize),
	}
	for name, value := range forged {
		t.Run(name, func(t *testing.T) {
			if _, err := decode(value); err == nil {
				t.Error("accepted")
			}
			bytes := allocated(func() { _, _ = decode(value) })
			if bytes > size+size/8 {
				t.Errorf("%d bytes take %d to read", len(value), bytes)
			}
		})
	}
	index := append(AppendFramed(begin(nil, KindIndex, 1), "key"), append(count(size), make([]byte, size)...)...)
	v, err := Open(finish(index))
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(10, func() { _, err = v.Index("key") }); err == nil || n > 2 {
		t.Errorf("an index of %d fields: %v after %v allocations", size, err, n)
	}
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	const runs = 10
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / runs
}

// TestEntry_ChunksCannotBeMany: a short entry leads to few chunks.
func TestEntry_ChunksCannotBeMany(t *testing.T) {
	for _, chunk := range []int64{1, 100, minChunk - 1} {
		e := sampleEntry()
		e.Body, e.Size, e.ChunkSize = nil, 8000, chunk
		if _, err := decode(e.Encode()); err == nil {
			t.Errorf("a body in chunks of %d bytes is accepted", chunk)
		}
	}
	e := &Entry{ID: 1, Size: 1 << 40, ChunkSize: MaxValue}
	n := testing.AllocsPerRun(10, func() {
		if e.Append(0, [][]byte{nil}) {
			t.Error("a chunk that is missing is accepted")
		}
	})
	if n > 0 || cap(e.Body) > 0 {
		t.Errorf("a body that is not there takes %v allocations", n)
	}
}

// TestSendable_TakesWhatSitesSend keeps the checks from refusing real headers.
func TestSendable_TakesWhatSitesSend(t *testing.T) {
	var fields []Field
	for i := range 100 {
		fields = append(fields, Only(fmt.Sprintf("X-Field-%d", i), strings.Repeat("v", i)))
	}
	fields = append(fields, Field{"Link", Add, []string{`<a>; rel="next"`, ""}}, Field{Name: "Server", Mode: Remove})
	if !Sendable(fields, 0) {
		t.Error("a header of a hundred fields is refused")
	}
}
