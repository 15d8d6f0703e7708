package memcached_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// TestBuffers_OfAnIdleConnectionAreSmall: 64 KiB at most, after whatever load.
func TestBuffers_OfAnIdleConnectionAreSmall(t *testing.T) {
	server := newServer(t, nil)
	client := newClient(t, memcached.Options{MaxConns: 3, Timeout: time.Minute, DialContext: dialTCP}, server)
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			key := fmt.Sprintf("k-%d", i)
			for j := range 30 {
				value := bytes.Repeat([]byte{byte(i)}, []int{10, 5000, 16_000, 17_000, 300_000}[j%5])
				if err := client.Set(t.Context(), &memcached.Item{Key: key, Value: value}); err != nil {
					t.Errorf("Set = %v", err)
					return
				}
				if item, err := client.Get(t.Context(), key); err != nil || !bytes.Equal(item.Value, value) {
					t.Errorf("Get = %v, want %d bytes", err, len(value))
					return
				}
			}
		})
	}
	wg.Wait()
	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		return memcachedtest.Action{Edit: func(b []byte) []byte {
			if r.Op == "STAT" {
				return append(said(codeStat, 0, r.Opaque, 0, "", "large", strings.Repeat("x", 200_000)), said(codeStat, 0, r.Opaque, 0, "", "", "")...)
			}
			return b
		}}
	})
	if _, err := client.ServerStats(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	for range 200 { // some for every connection
		_, _ = client.Get(t.Context(), "missing")
	}
	each := memcached.BufferBytes(client)
	if len(each) == 0 {
		t.Fatal("no connections")
	}
	for _, n := range each {
		if n > 64<<10 {
			t.Errorf("idle connections hold buffers of %d bytes, want 65536 each at most", each)
			return
		}
	}
}
