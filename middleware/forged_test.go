package middleware_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	memcached "github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// pageKeyOf returns the key in memcached of the only page of a site.
func pageKeyOf(t *testing.T, s *site) string {
	t.Helper()
	for _, key := range s.memory.Keys() {
		if strings.HasPrefix(key, "page:p") {
			return key
		}
	}
	t.Fatalf("memcached has no page among %q", s.memory.Keys())
	return ""
}

// forge puts an entry where the page of a site is.
func forge(t *testing.T, s *site, body string, fields ...stored.Field) {
	t.Helper()
	key := pageKeyOf(t, s)
	e := &stored.Entry{
		ID: 1, Key: key, Status: http.StatusOK, Received: time.Now(), Fields: fields, Body: []byte(body),
		Terms: policy.Terms{Freshness: policy.Freshness{Lifetime: time.Hour}},
	}
	s.memory.SetItem(&memcached.Item{Key: key, Value: e.Encode()})
}

// TestForged_EntryDoesNotSplitResponses: whoever can write to memcached chooses a
// page, and not where the next response on the connection begins.
func TestForged_EntryDoesNotSplitResponses(t *testing.T) {
	s := newSite(t, minute(), text("page")).listen()
	s.get("/a")
	forge(t, s, "good")
	if r := s.get("/a"); r.body != "good" || !r.hit() {
		t.Fatalf("an entry that is put there is answered %q (%s), or this test shows nothing", r.body, r.cacheStatus())
	}
	for _, field := range []stored.Field{
		stored.Only("transfer-encoding", "chunked"),
		stored.Only("Transfer-Encoding", "chunked"),
		stored.Only("Content-Length", "0"),
		stored.Only("X", "1\r\n\r\nHTTP/1.1 200 OK"),
	} {
		forge(t, s, "0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", field)
		if r := s.get("/a"); r.body != "page" || r.hit() {
			t.Errorf("with %q: %q (%s), want the handler's page", field, r.body, r.cacheStatus())
		}
	}
}

// TestStored_HeaderThatCannotBeSentAsItIs: net/http replaces what would end a line.
func TestStored_HeaderThatCannotBeSentAsItIs(t *testing.T) {
	for _, lines := range [][]string{{"X-A: 1\n2"}, {"X A: 1"}, {"Vary: a b"}} {
		s := newSite(t, minute(), text("page", lines...)).listen()
		first, second := s.get("/a"), s.get("/a")
		if fmt.Sprint(first.Header["X-A"]) != fmt.Sprint(second.Header["X-A"]) || second.hit() {
			t.Errorf("%q: %v, then %v (%s), want both from the handler", lines, first.Header, second.Header, second.cacheStatus())
		}
	}
}

// TestDump_HasNothingOfRequests: who reads memcached sees pages, and not what
// visitors sent to get them.
func TestDump_HasNothingOfRequests(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) {
		c.Header("Vary", "Cookie, Authorization, X-Api-Token")
		c.Header("Cache-Control", "public, max-age=60")
		c.Header("Cache-Tag", "tag")
		c.String(http.StatusOK, strings.Repeat("page", 500_000))
	})
	lines := []string{"Cookie: session=cookie-secret", "Authorization: Bearer bearer-secret", "X-Api-Token: field-secret"}
	for range 2 {
		s.get("/path-secret?token=query-secret", lines...)
	}
	if r := s.get("/path-secret?token=query-secret", lines...); !r.hit() {
		t.Fatalf("%s, want a hit, or this test shows nothing", r.cacheStatus())
	}
	for _, key := range s.memory.Keys() {
		item, ok := s.memory.Item(key)
		if !ok {
			continue
		}
		if text := key + string(item.Value); strings.Contains(text, "secret") {
			at := strings.Index(text, "secret")
			t.Errorf("%s holds what the client sent: %q", key, text[max(0, at-20):at+6])
		}
	}
}

// TestDump_EntryOfAnotherPrefixIsAMiss: an entry belongs to its prefix and its key.
func TestDump_EntryOfAnotherPrefixIsAMiss(t *testing.T) {
	one := newSite(t, minute(), text("one"))
	one.get("/a")
	opts := minute()
	opts.Prefix = "other:"
	other := newSiteOn(t, one.memory, opts, text("other"))
	item, _ := one.memory.Item(pageKeyOf(t, one))
	moved := "other:" + strings.TrimPrefix(item.Key, "page:")
	one.memory.SetItem(&memcached.Item{Key: moved, Value: item.Value})
	if r := other.get("/a"); r.body != "other" || r.hit() {
		t.Errorf("an entry moved to another prefix is answered: %q (%s)", r.body, r.cacheStatus())
	}
}

// TestForged_NumberOfPurgesStopsNothing for longer than a response or a purge.
func TestForged_NumberOfPurgesStopsNothing(t *testing.T) {
	for _, value := range []string{"0", "x", "", "18446744073709551615"} {
		opts := minute()
		opts.PathTags = true
		s := newSite(t, opts, text("x"))
		s.get("/a")
		if err := s.cache.PurgeAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.memory.SetItem(&memcached.Item{Key: "page:n", Value: []byte(value)})
		s.get("/b")
		s.get("/b")
		if r := s.get("/b"); !r.hit() {
			t.Errorf("with %q purges: %s, want a hit", value, r.cacheStatus())
		}
		s.memory.SetItem(&memcached.Item{Key: "page:n", Value: []byte(value)})
		if err := s.cache.PurgeAll(t.Context()); err != nil {
			t.Errorf("with %q purges: %v", value, err)
		}
		if r := s.get("/b"); r.hit() {
			t.Errorf("with %q purges, after a purge: %s, want a miss", value, r.cacheStatus())
		}
		s.get("/b")
		if r := s.get("/b"); !r.hit() {
			t.Errorf("with %q purges, later: %s, want a hit", value, r.cacheStatus())
		}
	}
}
