package memcachedtest

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// script is a connection on which a client has written everything already.
type script struct {
	net.Conn
	in  *bytes.Reader
	out bytes.Buffer
}

func (s *script) Read(b []byte) (int, error)  { return s.in.Read(b) }
func (s *script) Write(b []byte) (int, error) { return s.out.Write(b) }
func (s *script) Close() error                { return nil }

// FuzzServer: whatever clients send, the server answers in whole frames, keeps
// to its memory and ends.
func FuzzServer(f *testing.F) {
	for _, request := range transcriptRequests(f) {
		f.Add(request, false)
		f.Add(request, true)
	}
	open, err := NewServer(&Options{MaxItemSize: 2048, MaxMemory: 10_000})
	if err != nil {
		f.Fatal(err)
	}
	secured, err := NewServer(&Options{Users: map[string]string{"user": "pass"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(open.Close)
	f.Cleanup(secured.Close)
	f.Fuzz(func(t *testing.T, b []byte, auth bool) {
		s := open
		if auth {
			s = secured
		}
		nc := &script{in: bytes.NewReader(b)}
		newConn(s, 1, nc).serve()
		out := nc.out.Bytes()
		for len(out) > 0 {
			var frame wire.Frame
			n, err := frame.Parse(out, wire.MagicResponse, 4096)
			if n == 0 || err != nil {
				t.Fatalf("the server answered\n% x, which is no response: %v", out, err)
			}
			out = out[n:]
		}
		checkStorage(t, s.storage)
	})
}

// checkStorage checks that the storage's books agree.
func checkStorage(t *testing.T, st *storage) {
	t.Helper()
	st.mu.Lock()
	defer st.mu.Unlock()
	n, size := 0, 0
	for it := st.root.next; it != &st.root; it = it.next {
		n++
		size += st.sizeOf(it)
		if st.items[it.key] != it {
			t.Fatalf("the item of %q is in the order of use, but not under its key", it.key)
		}
	}
	if n != len(st.items) || size != st.bytes || size > st.maxMemory {
		t.Fatalf("%d items of %d bytes where %d of %d are counted and %d may be", n, size, len(st.items), st.bytes, st.maxMemory)
	}
}

// transcriptRequests returns what clients send in the transcripts.
func transcriptRequests(f *testing.F) (requests [][]byte) {
	f.Helper()
	files, err := filepath.Glob("testdata/transcripts/*.txt")
	if err != nil || len(files) == 0 {
		f.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		p := &player{t: f, now: time.Now, cas: map[string]uint64{"c1": 1, "c2": 2, "c4": 4, "c5": 5}}
		var session []byte
		for line := range strings.Lines(string(text)) {
			switch {
			case strings.HasPrefix(line, ">") && !strings.Contains(line, "*1048") && !strings.Contains(line, "*2097"):
				session = append(session, p.request(line[1:])...)
			case strings.HasPrefix(line, "= connect"):
				requests = append(requests, session)
				session = nil
			}
		}
		requests = append(requests, session)
	}
	return requests
}

// FuzzParseCounter: what is plainly a number is read as one, and nothing is
// read that does not begin with digits.
func FuzzParseCounter(f *testing.F) {
	for _, s := range []string{"0", "10 ", " 7", "+5", "-1", "18446744073709551615", "18446744073709551616", "1 -", "x", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, ok := parseCounter(b)
		if want, err := strconv.ParseUint(string(b), 10, 64); err == nil && (!ok || n != want) {
			t.Fatalf("parseCounter(%q) = %d, %v, want %d", b, n, ok, want)
		}
		if ok && !bytes.ContainsAny(b, "0123456789") {
			t.Fatalf("parseCounter(%q) = %d, want no number", b, n)
		}
		if ok {
			if again, ok := parseCounter(append(strconv.AppendUint(nil, n, 10), "  "...)); !ok || again != n {
				t.Fatalf("parseCounter of %d, padded, = %d, %v", n, again, ok)
			}
		}
	})
}
