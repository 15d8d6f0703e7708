package clienttest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// Run checks that a client does on its servers what its documentation says:
// every operation, its edges and its errors. It runs against memcachedtest's
// servers and against memcached alike, on one server or several, with data of
// others on them. It empties the servers at the end.
//
// opts says what the servers are set up to do differently; nil options are
// those of a memcached without arguments. open returns a client with Options of
// the caller's choice, of which MaxItemSize fits the servers. It is called for
// several clients, which Run closes.
func Run(t *testing.T, opts *Options, open func(t *testing.T) *memcached.Client) {
	s := newSuite(t, opts.withDefaults(), open)
	for name := range s.Except {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.has(name) }) {
			t.Errorf("Options.Except: there is no test %q", name)
		}
	}
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) {
			for _, test := range p.tests {
				t.Run(test.name, func(t *testing.T) {
					if reason, ok := s.Except[p.name+"/"+test.name]; ok {
						t.Skip("these servers differ: " + reason)
					}
					test.run(t, s)
				})
			}
		})
	}
}

// part is what is tested of one subject.
type part struct {
	name  string
	tests []clientTest
}

// has reports whether the part has the test of a name with both names in it.
func (p part) has(name string) bool {
	return slices.ContainsFunc(p.tests, func(test clientTest) bool { return p.name+"/"+test.name == name })
}

// parts are all tests, in the order in which they run.
var parts = []part{
	{"read", readTests},
	{"store", storeTests},
	{"compare and swap", casTests},
	{"append", appendTests},
	{"delete", deleteTests},
	{"count", counterTests},
	{"many keys", multiTests},
	{"size", sizeTests},
	{"keys", keyTests},
	{"misuse", misuseTests},
	{"servers", serverTests},
	{"concurrency", concurrencyTests},
	{"time", timeTests},
	{"flush", flushTests}, // last: it empties the servers
}

// clientTest is one claim about clients.
type clientTest struct {
	name string
	run  func(t *testing.T, s *suite)
}

// suite is what the tests share.
type suite struct {
	Options
	open   func(t *testing.T) *memcached.Client
	client *memcached.Client
	// prefix keeps the keys of this run apart from all others.
	prefix string
	keys   atomic.Uint64

	servers    []string
	replicated bool // every server holds every key
}

func newSuite(t *testing.T, opts Options, open func(t *testing.T) *memcached.Client) *suite {
	t.Helper()
	s := &suite{Options: opts, open: open, prefix: "test-" + rand.Text()[:10] + ":"}
	s.client = s.newClient(t)
	s.servers = slices.Sorted(maps.Keys(s.client.Stats().Servers))
	// Only replicated clients refuse the operation itself.
	err := s.client.CompareAndDelete(t.Context(), s.key(), 1)
	var fault *memcached.OpError
	if s.replicated = errors.As(err, &fault); errors.Is(err, memcached.ErrUnavailable) || errors.Is(err, memcached.ErrAuth) {
		t.Fatalf("the servers cannot be used: %v", err)
	}
	return s
}

func (s *suite) newClient(t *testing.T) *memcached.Client {
	t.Helper()
	client := s.open(t)
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
	})
	return client
}

// key returns a key that nobody else uses.
func (s *suite) key() string {
	return s.prefix + strconv.FormatUint(s.keys.Add(1), 10)
}

// set stores a value under a new key, which it returns.
func (s *suite) set(t *testing.T, value string) (key string) {
	t.Helper()
	key = s.key()
	s.store(t, &memcached.Item{Key: key, Value: []byte(value)})
	return key
}

func (s *suite) store(t *testing.T, item *memcached.Item) {
	t.Helper()
	if err := s.client.Set(t.Context(), item); err != nil {
		t.Fatalf("Set(%q) = %v, want nil", item.Key, err)
	}
}

// get returns an item that must be there.
func (s *suite) get(t *testing.T, key string) *memcached.Item {
	t.Helper()
	item, err := s.client.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("Get(%q) = %v, want a hit", key, err)
	}
	return item
}

func (s *suite) wantValue(t *testing.T, key, want string) {
	t.Helper()
	if got := s.get(t, key); string(got.Value) != want {
		t.Errorf("Get(%q) = %s, want %s", key, show(got.Value), show([]byte(want)))
	}
}

func (s *suite) wantMiss(t *testing.T, key string) {
	t.Helper()
	if item, err := s.client.Get(t.Context(), key); err != memcached.ErrCacheMiss {
		t.Errorf("Get(%q) = %v, %v, want %v", key, item, err, memcached.ErrCacheMiss)
	}
}

// show quotes a value in full or, when it is long, its beginning.
func show(value []byte) string {
	if len(value) <= 64 {
		return strconv.Quote(string(value))
	}
	return fmt.Sprintf("%q… (%d bytes)", value[:32], len(value))
}

// wantSentinel checks an answer, which comes bare.
func wantSentinel(t *testing.T, what string, got, want error) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// wantFault checks a fault: an OpError with a cause.
func wantFault(t *testing.T, what string, got, want error) {
	t.Helper()
	var fault *memcached.OpError
	if !errors.As(got, &fault) || !errors.Is(got, want) {
		t.Errorf("%s = %v, want an OpError that is %q", what, got, want)
	}
}

// clockLimit is how long the tests wait for what a server's clock has to bring.
const clockLimit = 15 * time.Second

// eventually waits until a condition holds.
func (s *suite) eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), clockLimit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		if s.Advance != nil {
			s.Advance()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: not so after %v", what, clockLimit)
		}
	}
}

// gone reports whether a key is missing.
func (s *suite) gone(t *testing.T, key string) bool {
	t.Helper()
	_, err := s.client.Get(t.Context(), key)
	if err != nil && err != memcached.ErrCacheMiss {
		t.Fatalf("Get(%q) = %v, want a hit or a miss", key, err)
	}
	return err != nil
}
