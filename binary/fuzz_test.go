package memcached_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// tape is a connection to a server that says what it was always going to say,
// whatever it is asked, and then hangs up. It speaks after the first request.
type tape struct {
	net.Conn // nil: what is not below is not called
	piece    int

	mu     sync.Mutex // guards what follows
	asked  *sync.Cond
	rest   []byte
	begun  bool
	closed bool
}

func newTape(says []byte, piece int) *tape {
	nc := &tape{rest: says, piece: max(1, piece)}
	nc.asked = sync.NewCond(&nc.mu)
	return nc
}

func (nc *tape) Read(b []byte) (int, error) {
	nc.mu.Lock()
	defer nc.mu.Unlock()
	for !nc.begun && !nc.closed {
		nc.asked.Wait()
	}
	if nc.closed {
		return 0, net.ErrClosed
	}
	if len(nc.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), nc.piece)], nc.rest)
	nc.rest = nc.rest[n:]
	return n, nil
}

func (nc *tape) Write(b []byte) (int, error) {
	nc.mu.Lock()
	defer nc.mu.Unlock()
	if nc.closed {
		return 0, net.ErrClosed
	}
	nc.begun = true
	nc.asked.Broadcast()
	return len(b), nil
}

func (nc *tape) Close() error {
	nc.mu.Lock()
	defer nc.mu.Unlock()
	nc.closed = true
	nc.asked.Broadcast()
	return nil
}

func (nc *tape) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)} }
func (nc *tape) SetDeadline(time.Time) error      { return nil }
func (nc *tape) SetReadDeadline(time.Time) error  { return nil }
func (nc *tape) SetWriteDeadline(time.Time) error { return nil }

// said is a response frame.
func said(opcode byte, status uint16, opaque uint32, cas uint64, extras, key, value string) []byte {
	b := []byte{0x81, opcode, 0, 0, byte(len(extras)), 0}
	b = binary.BigEndian.AppendUint16(b, status)
	b = binary.BigEndian.AppendUint32(b, uint32(len(extras)+len(key)+len(value)))
	b = binary.BigEndian.AppendUint32(b, opaque)
	b = binary.BigEndian.AppendUint64(b, cas)
	binary.BigEndian.PutUint16(b[2:], uint16(len(key)))
	return append(b, extras+key+value...)
}

// The opcodes that the seeds answer to.
const (
	codeGet, codeSet, codeAdd, codeDelete, codeIncrement = 0x00, 0x01, 0x02, 0x04, 0x05
	codeNoop, codeVersion, codeGetK, codeGetKQ           = 0x0a, 0x0b, 0x0c, 0x0d
	codeStat, codeSetQ                                   = 0x10, 0x11
	codeList, codeAuth                                   = 0x20, 0x21
)

// tapeSeeds are conversations, well-behaved and not, of one operation of
// tapeOperations each.
var tapeSeeds = []struct {
	operation uint8
	says      [][]byte
}{
	{0, [][]byte{said(codeGet, 0, 0, 7, "\x00\x00\x00\x05", "", "value")}},
	{0, [][]byte{said(codeGet, 0, 0, 7, "", "", "no flags")}},
	{0, [][]byte{said(codeGet, 0, 0, 7, "\x00\x00\x00\x05", "k", "value")}},
	{0, [][]byte{said(codeGet, 0, 1, 7, "\x00\x00\x00\x05", "", "of another")}},
	{0, [][]byte{said(codeGet, 1, 0, 0, "", "", "Not found"), []byte("SERVER_ERROR out of memory\r\n")}},
	{0, [][]byte{said(codeGet, 0x20, 0, 0, "", "", "Auth failure.")}},
	{0, [][]byte{said(codeGet, 0x81, 0, 0, "", "", "Unknown command")}},
	{0, [][]byte{[]byte("ERROR Too many open connections\r\n")}},
	{1, [][]byte{said(codeGet, 0, 0, 0, "\x00\x00\x00\x00", "", strings.Repeat("large", 4000))}},
	{1, [][]byte{said(codeGet, 0, 0, 0, "\x00\x00\x00\x00", "", strings.Repeat("large", 4000))[:10_000]}},
	{1, [][]byte{said(codeGet, 0x03, 0, 0, "", "", strings.Repeat("no", 9000))}},
	{2, [][]byte{said(codeGetKQ, 0, 0, 1, "\x00\x00\x00\x00", "a", "1"), said(codeGetKQ, 0, 1, 1, "\x00\x00\x00\x00", "b", "2"), said(codeGetK, 1, 2, 0, "", "c", "")}},
	{2, [][]byte{said(codeGetKQ, 0, 1, 1, "\x00\x00\x00\x00", "b", "2"), said(codeGetKQ, 0, 0, 1, "\x00\x00\x00\x00", "a", "1")}},
	{2, [][]byte{said(codeGetKQ, 0, 1, 1, "\x00\x00\x00\x00", "a", "of another")}},
	{2, [][]byte{said(codeGetKQ, 0, 0, 1, "\x00\x00\x00\x00", "a", strings.Repeat("large", 4000)), said(codeGetK, 1, 2, 0, "", "c", "")}},
	{2, [][]byte{said(codeGetKQ, 0x82, 0, 0, "", "", "Out of memory"), said(codeGetK, 0, 2, 1, "\x00\x00\x00\x00", "c", "3")}},
	{3, [][]byte{said(codeSet, 0, 0, 9, "", "", "")}},
	{4, [][]byte{said(codeSetQ, 3, 0, 0, "", "", "Too large."), said(codeSet, 0, 1, 2, "", "", "")}},
	{5, [][]byte{said(codeIncrement, 0, 0, 3, "", "", "\x00\x00\x00\x00\x00\x00\x00\x0a")}},
	{5, [][]byte{said(codeIncrement, 0, 0, 3, "", "", "10")}},
	{5, [][]byte{said(codeIncrement, 5, 0, 0, "", "", ""), said(codeIncrement, 6, 1, 0, "", "", "Non-numeric")}},
	{6, [][]byte{said(codeStat, 0, 0, 0, "", "pid", "1"), said(codeStat, 0, 0, 0, "", "version", "1.6.18"), said(codeStat, 0, 0, 0, "", "", "")}},
	{6, [][]byte{said(codeStat, 1, 0, 0, "", "", "Not found")}},
	{6, [][]byte{said(codeStat, 0, 0, 0, "", "detailed", strings.Repeat("PREFIX p get 1\r\n", 2000)), said(codeStat, 0, 0, 0, "", "", "")}},
	{7, [][]byte{said(codeVersion, 0, 0, 0, "", "", "1.6.18")}},
	{8, [][]byte{said(codeDelete, 1, 0, 0, "", "", "Not found")}},
	{9, [][]byte{said(codeAdd, 2, 0, 0, "", "", "Data exists for key.")}},
}

// tapeOperations are what the client asks; check tells whether what it got was
// said.
var tapeOperations = []func(ctx context.Context, c *memcached.Client, check func(value []byte)) error{
	func(ctx context.Context, c *memcached.Client, check func([]byte)) error {
		item, err := c.Get(ctx, "k")
		if err == nil {
			check(item.Value)
		}
		return err
	},
	func(ctx context.Context, c *memcached.Client, check func([]byte)) error {
		value, _, err := c.AppendValue(ctx, make([]byte, 0, 20_000), "k")
		check(value)
		return err
	},
	func(ctx context.Context, c *memcached.Client, check func([]byte)) error {
		items, err := c.GetMulti(ctx, []string{"a", "b", "c"})
		for _, item := range items {
			check(item.Value)
		}
		return err
	},
	func(ctx context.Context, c *memcached.Client, _ func([]byte)) error {
		return c.Set(ctx, &memcached.Item{Key: "k", Value: []byte("v")})
	},
	func(ctx context.Context, c *memcached.Client, _ func([]byte)) error {
		return c.SetMulti(ctx, []*memcached.Item{{Key: "a", Value: []byte("v")}, {Key: "b", Value: make([]byte, 20_000)}})
	},
	func(ctx context.Context, c *memcached.Client, _ func([]byte)) error {
		_, err := c.IncrementOrSet(ctx, "k", 1, 1, 0)
		return err
	},
	func(ctx context.Context, c *memcached.Client, check func([]byte)) error {
		stats, err := c.ServerStats(ctx, "")
		for _, values := range stats {
			for name, value := range values {
				check([]byte(name))
				check([]byte(value))
			}
		}
		return err
	},
	func(ctx context.Context, c *memcached.Client, check func([]byte)) error {
		versions, err := c.Versions(ctx)
		for _, version := range versions {
			check([]byte(version))
		}
		return err
	},
	func(ctx context.Context, c *memcached.Client, _ func([]byte)) error {
		return c.DeleteMulti(ctx, []string{"a", "b", "c"})
	},
	func(ctx context.Context, c *memcached.Client, _ func([]byte)) error {
		return c.Add(ctx, &memcached.Item{Key: "k", Value: []byte("v")})
	},
}

// isAnswerOrFault reports whether an error is of a kind that operations may
// return.
func isAnswerOrFault(err error) bool {
	switch err {
	case nil, memcached.ErrCacheMiss, memcached.ErrNotStored, memcached.ErrCASConflict:
		return true
	}
	var multi *memcached.MultiError
	if errors.As(err, &multi) {
		return !slices.ContainsFunc(multi.Unwrap(), func(err error) bool { return !isAnswerOrFault(err) })
	}
	var op *memcached.OpError
	return errors.As(err, &op) && op.Err != nil
}

// FuzzClient: whatever a server says, operations end with what it said or with
// an error, and the client can be closed.
func FuzzClient(f *testing.F) {
	hello := said(codeNoop, 0, 0, 0, "", "", "")
	for _, seed := range tapeSeeds {
		f.Add(slices.Concat(append([][]byte{hello}, seed.says...)...), seed.operation, uint16(7), false)
		f.Add(slices.Concat(append([][]byte{hello}, seed.says...)...), seed.operation, uint16(1<<15), false)
	}
	for _, mechanisms := range []string{"PLAIN", "SCRAM-SHA-256 CRAM-MD5"} {
		f.Add(slices.Concat(
			said(codeList, 0, 0x0d0a0d0a, 0, "", "", mechanisms),
			said(codeAuth, 0, 0, 0, "", "", "Authenticated"),
			said(codeGet, 0, 0, 7, "\x00\x00\x00\x05", "", "value"),
		), uint8(0), uint16(100), true)
	}
	f.Add(slices.Concat(said(codeList, 0, 0x0d0a0d0a, 0, "", "", "CRAM-MD5"), said(codeAuth, 0x21, 0, 0, "", "", "<1@host>"), said(codeAuth, 0x20, 0, 0, "", "", "")), uint8(3), uint16(100), true)
	f.Fuzz(func(t *testing.T, says []byte, operation uint8, piece uint16, auth bool) {
		opts := &memcached.Options{
			MaxConns: 2, MaxItemSize: 40_000,
			DialContext: func(context.Context, string, string) (net.Conn, error) { return newTape(says, int(piece)), nil },
		}
		if auth {
			opts.Auth = sasl.Plain("user", "pass")
		}
		client, err := memcached.New([]string{"cache"}, opts)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		check := func(value []byte) {
			if !bytes.Contains(says, value) {
				t.Errorf("got %q, which the server did not say", value)
			}
		}
		for range 2 { // the second time with what is left, or on a new connection
			do := tapeOperations[int(operation)%len(tapeOperations)]
			if err := do(ctx, client, check); !isAnswerOrFault(err) {
				t.Errorf("the operation ended with %#v", err)
			}
		}
		if ctx.Err() != nil {
			t.Error("the operations took 10s")
		}
		if err := client.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
}
