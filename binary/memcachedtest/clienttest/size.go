package clienttest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
)

// What memcached needs of an item besides key and value (items.h).
const (
	itemOverhead  = 51
	casOverhead   = 8
	flagsOverhead = 4
)

// maxKeyAndValue is what an item of 1 MiB has room for besides the server's
// overhead, when it keeps versions. Clients with default Options refuse more.
const maxKeyAndValue = defaultMaxItemSize - itemOverhead - casOverhead

// largest is the size of a value that servers and client take for certain.
func (s *suite) largest(key string, flags uint32) int {
	n := min(maxKeyAndValue, s.MaxItemSize-itemOverhead-casOverhead) - len(key)
	if flags != 0 {
		n -= flagsOverhead
	}
	return n
}

// small reports whether the servers have so little memory that they may evict
// items while a test uses them.
func (s *suite) small() bool { return s.MaxMemory < defaultMaxMemory }

var sizeTests = []clientTest{
	{"values of all sizes come back whole", func(t *testing.T, s *suite) {
		key := s.key()
		all := pattern(s.largest(key, 1))
		for _, edge := range []int{1, 1 << 10, 4 << 10, 16 << 10, 32 << 10, 64 << 10, 128 << 10, 256 << 10, 512 << 10, len(all)} {
			for size := edge - 1; size <= edge+1 && size <= len(all); size++ {
				want := &memcached.Item{Key: key, Value: all[:size], Flags: 1}
				s.store(t, want)
				s.wantItem(t, "Get", s.get(t, key), want)
				s.store(t, &memcached.Item{Key: key + "small", Value: []byte("v")})
				s.wantValue(t, key+"small", "v") // what follows is not disturbed
			}
		}
	}},
	{"the largest value is stored", func(t *testing.T, s *suite) {
		for _, flags := range []uint32{0, 1} {
			key := s.key()
			item := &memcached.Item{Key: key, Value: pattern(s.largest(key, flags)), Flags: flags}
			for name, store := range map[string]func() error{
				"Add":     func() error { return s.client.Add(t.Context(), item) },
				"Replace": func() error { return s.client.Replace(t.Context(), item) },
				"Set":     func() error { return s.client.Set(t.Context(), item) },
			} {
				if name == "Add" {
					if err := s.client.DeleteMulti(t.Context(), []string{key}); err != nil {
						t.Fatal(err)
					}
				} else {
					s.store(t, &memcached.Item{Key: key})
				}
				if err := store(); err != nil {
					t.Errorf("%s of %d bytes with flags %d = %v, want nil", name, len(item.Value), flags, err)
				}
				s.wantItem(t, "Get after "+name, s.get(t, key), item)
			}
		}
	}},
	{"a value too large is ErrTooLarge", func(t *testing.T, s *suite) {
		value := make([]byte, s.MaxItemSize)
		for name, store := range map[string]func(item *memcached.Item) error{
			"Set":     func(item *memcached.Item) error { return s.client.Set(t.Context(), item) },
			"Add":     func(item *memcached.Item) error { return s.client.Add(t.Context(), item) },
			"Replace": func(item *memcached.Item) error { return s.client.Replace(t.Context(), item) },
			"Append":  func(item *memcached.Item) error { return s.client.Append(t.Context(), item.Key, item.Value) },
			"Prepend": func(item *memcached.Item) error { return s.client.Prepend(t.Context(), item.Key, item.Value) },
		} {
			key := s.set(t, "old")
			err := store(&memcached.Item{Key: key, Value: value})
			wantFault(t, fmt.Sprintf("%s of %d bytes", name, len(value)), err, memcached.ErrTooLarge)
			// A server that has to refuse a Set deletes the old value, which is
			// why the client refuses first what is above its own limit.
			refused := errors.As(err, new(*memcached.StatusError))
			if refused && s.MaxItemSize >= defaultMaxItemSize {
				t.Errorf("%s of %d bytes was sent to the server: %v", name, len(value), err)
			}
			if name == "Set" && refused {
				s.wantMiss(t, key)
			} else {
				s.wantValue(t, key, "old")
			}
		}
	}},
	{"one byte above the limit is too much", func(t *testing.T, s *suite) {
		if s.MaxItemSize != defaultMaxItemSize || s.DisableCAS {
			return // the limit is another
		}
		key := s.set(t, "old")
		for _, flags := range []uint32{0, 1} {
			item := &memcached.Item{Key: key, Value: make([]byte, s.largest(key, flags)+1), Flags: flags}
			what := fmt.Sprintf("Set of %d bytes with flags %d", len(item.Value), flags)
			wantFault(t, what, s.client.Set(t.Context(), item), memcached.ErrTooLarge)
			s.wantValue(t, key, "old")
		}
	}},
	{"what would grow too large is ErrNotStored and stays as it was", func(t *testing.T, s *suite) {
		if s.small() {
			t.Skip("there may be no memory for two copies")
		}
		key := s.key()
		piece := pattern(s.largest(key, 0))
		s.store(t, &memcached.Item{Key: key, Value: piece})
		for size := len(piece); ; size += len(piece) {
			err := s.client.Append(t.Context(), key, piece)
			if err == nil && size < s.MaxItemSize {
				continue
			}
			wantSentinel(t, "Append", err, memcached.ErrNotStored)
			wantSentinel(t, "Prepend", s.client.Prepend(t.Context(), key, piece), memcached.ErrNotStored)
			if n := len(s.get(t, key).Value); n != size {
				t.Errorf("Get(%q) has %d bytes, want %d", key, n, size)
			}
			return
		}
	}},
	{"SetMulti stores what fits", func(t *testing.T, s *suite) {
		large, small := s.key(), s.key()
		err := s.client.SetMulti(t.Context(), []*memcached.Item{
			{Key: large, Value: make([]byte, s.MaxItemSize)},
			{Key: small, Value: []byte("v")},
		})
		wantOnly(t, "SetMulti", err, large, memcached.ErrTooLarge)
		s.wantValue(t, small, "v")
	}},
}

// pattern returns n bytes that show when some are missing or moved.
func pattern(n int) []byte {
	b := make([]byte, 0, n+8)
	for x := uint64(1); len(b) < n; x = x*6364136223846793005 + 1 {
		b = binary.LittleEndian.AppendUint64(b, x)
	}
	return b[:n]
}
