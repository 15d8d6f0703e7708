package memcached_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// cannedServer answers GET, SET, DELETE, TOUCH and INCREMENT without allocating,
// so that what is counted is the client.
func cannedServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { serveCanned(nc) })
		}
	})
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

func serveCanned(nc net.Conn) {
	defer nc.Close()
	value := bytes.Repeat([]byte("x"), 100)
	in, out := make([]byte, 64<<10), make([]byte, 0, 64<<10)
	for {
		n, err := nc.Read(in)
		if err != nil {
			return
		}
		out = out[:0]
		for b := in[:n]; len(b) >= 24; {
			total := 24 + int(b[10])<<8 + int(b[11])
			op, miss := b[1], bytes.HasPrefix(b[24+int(b[4]):], []byte("miss"))
			start := len(out)
			out = append(out, make([]byte, 24)...)
			h := out[start:]
			h[0], h[1] = 0x81, op
			copy(h[12:16], b[12:16])
			switch {
			case miss:
				h[7] = 1
			case op == 0x00:
				h[4], h[11] = 4, byte(4+len(value))
				out = append(append(out, 0, 0, 0, 0), value...)
			case op == 0x05:
				h[11] = 8
				out = append(out, 0, 0, 0, 0, 0, 0, 0, 5)
			}
			b = b[total:]
		}
		if _, err := nc.Write(out); err != nil {
			return
		}
	}
}

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	client, err := memcached.New([]string{cannedServer(t)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	deadline, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	item := &memcached.Item{Key: "k", Value: make([]byte, 100)}
	room := make([]byte, 0, 1024)
	for name, ctx := range map[string]context.Context{"background": context.Background(), "deadline": deadline} {
		tests := []struct {
			op   string
			most float64
			do   func() error
		}{
			{"Get", 2, func() error { _, err := client.Get(ctx, "k"); return err }},
			{"Get of a miss", 0, func() error { _, err := client.Get(ctx, "miss"); return ignoreMiss(err) }},
			{"AppendValue", 0, func() error { _, _, err := client.AppendValue(ctx, room, "k"); return err }},
			{"Set", 0, func() error { return client.Set(ctx, item) }},
			{"Delete", 0, func() error { return client.Delete(ctx, "k") }},
			{"Touch", 0, func() error { return client.Touch(ctx, "k", time.Minute) }},
			{"Increment", 0, func() error { _, err := client.Increment(ctx, "k", 1); return err }},
		}
		for _, tt := range tests {
			t.Run(name+"/"+tt.op, func(t *testing.T) {
				if err := tt.do(); err != nil {
					t.Fatalf("%s = %v", tt.op, err)
				}
				if got := testing.AllocsPerRun(1000, func() { _ = tt.do() }); got > tt.most {
					t.Errorf("%s allocates %v times, want at most %v", tt.op, got, tt.most)
				}
			})
		}
	}
}

func ignoreMiss(err error) error {
	if errors.Is(err, memcached.ErrCacheMiss) {
		return nil
	}
	return err
}

func TestMemory_BlockedCallersAreCheap(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	// A server that accepts and answers the handshake only.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = nc.Close() })
			go func() {
				b := make([]byte, 24)
				_, _ = nc.Read(b)
				b[0] = 0x81
				_, _ = nc.Write(b)
			}()
		}
	}()
	client, err := memcached.New([]string{l.Addr().String()}, &memcached.Options{Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	const callers = 10_000
	before := memory()
	var wg sync.WaitGroup
	for i := range callers {
		key := fmt.Sprintf("k%d", i)
		wg.Go(func() {
			_, err := client.Get(t.Context(), key)
			if !errors.Is(err, memcached.ErrClosed) {
				t.Error(err)
			}
		})
	}
	for client.Stats().Servers[l.Addr().String()].InFlight < callers && !t.Failed() {
		time.Sleep(time.Millisecond)
	}
	after := memory()
	if each := (after.HeapAlloc - min(before.HeapAlloc, after.HeapAlloc)) / callers; each > 4096 {
		t.Errorf("a blocked Get holds %d bytes besides its stack, want at most 4096", each)
	}
	_ = client.Close()
	wg.Wait()
}

func memory() (m runtime.MemStats) {
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}

// TestLargeValues_AreNotCopied: they are written from the caller's slice, and
// read to where AppendValue wants them.
func TestLargeValues_AreNotCopied(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	const size = 1 << 20
	client, err := memcached.New([]string{largeServer(t, size)}, &memcached.Options{MaxItemSize: 2 * size, MaxConns: 1, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	item := &memcached.Item{Key: "k", Value: make([]byte, size)}
	room := make([]byte, 0, size)
	for op, do := range map[string]func() error{
		"Set":         func() error { return client.Set(t.Context(), item) },
		"AppendValue": func() error { _, _, err := client.AppendValue(t.Context(), room, "k"); return err },
	} {
		const rounds = 20
		if err := do(); err != nil { // connects
			t.Fatalf("%s = %v", op, err)
		}
		before := memory().TotalAlloc
		for range rounds {
			if err := do(); err != nil {
				t.Fatalf("%s = %v", op, err)
			}
		}
		if each := (memory().TotalAlloc - before) / rounds; each > size/8 {
			t.Errorf("%s of %d bytes allocates %d bytes", op, size, each)
		}
	}
}

// largeServer answers GETs with a value of that many bytes, and takes SETs, with
// buffers that it has once.
func largeServer(t *testing.T, size int) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		get, set := said(codeGet, 0, 0, 1, "\x00\x00\x00\x00", "", string(make([]byte, size))), said(codeSet, 0, 0, 1, "", "", "")
		head, body := make([]byte, 24), make([]byte, 2*size)
		for {
			if _, err := io.ReadFull(nc, head); err != nil {
				return
			}
			if _, err := io.ReadFull(nc, body[:binary.BigEndian.Uint32(head[8:])]); err != nil {
				return
			}
			answer := set
			if head[1] == codeGet {
				answer = get
			}
			answer[1] = head[1]
			copy(answer[12:16], head[12:16])
			if _, err := nc.Write(answer); err != nil {
				return
			}
		}
	}()
	return l.Addr().String()
}

// TestOversizedFrame_CostsNoMemory: a length that a server claims is not
// believed before it is checked.
func TestOversizedFrame_CostsNoMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	claim := said(codeGet, 0, 0, 0, "\x00\x00\x00\x00", "", "v")
	binary.BigEndian.PutUint32(claim[8:], 1<<31)
	says := append(said(codeNoop, 0, 0, 0, "", "", ""), claim...)
	client, err := memcached.New([]string{"cache"}, &memcached.Options{
		DialContext: func(context.Context, string, string) (net.Conn, error) { return newTape(says, len(says)), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	before := memory().TotalAlloc
	if _, err := client.Get(t.Context(), "k"); !errors.Is(err, memcached.ErrUnavailable) {
		t.Errorf("Get = %v, want %v", err, memcached.ErrUnavailable)
	}
	if cost := memory().TotalAlloc - before; cost > 1<<20 {
		t.Errorf("a response that claims 2 GiB cost %d bytes", cost)
	}
}

// TestMemory_NothingForEachKey: the client remembers no keys.
func TestMemory_NothingForEachKey(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	client, err := memcached.New([]string{cannedServer(t)}, &memcached.Options{Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	const keys = 4000
	use := func(from int) {
		for i := range keys {
			item := &memcached.Item{Key: fmt.Sprintf("key-%d", from+i), Value: []byte("v")}
			if err := client.Set(t.Context(), item); err != nil {
				t.Fatal(err)
			}
			if _, err := client.Get(t.Context(), item.Key); err != nil {
				t.Fatal(err)
			}
		}
	}
	use(0)
	before := memory()
	use(keys)
	after := memory()
	if grown := after.HeapAlloc - min(before.HeapAlloc, after.HeapAlloc); grown > 20*keys {
		t.Errorf("%d keys more hold %d bytes, want none", keys, grown)
	}
}
