package middleware_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	memcached "github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

func sealKey(n byte) []byte { return bytes.Repeat([]byte{n}, 32) }

func sealedBy(keys ...byte) *middleware.Options {
	opts := minute()
	for _, n := range keys {
		opts.SealKeys = append(opts.SealKeys, sealKey(n))
	}
	return opts
}

// variedPage has variants, tags, and a body in chunks.
func variedPage(c *gin.Context) {
	c.Header("Vary", "X-Select")
	c.Header("Cache-Tag", "plaintext-tag")
	c.String(http.StatusOK, "plaintext of "+c.Request.URL.Path+strings.Repeat("plaintext", 200_000))
}

// TestSealed_ReaderLearnsNothing: not what is stored, nor of what.
func TestSealed_ReaderLearnsNothing(t *testing.T) {
	s := newSite(t, sealedBy(1), func(c *gin.Context) {
		if c.Request.URL.Path == "/small" {
			text("plaintext", "X-Field: plaintext")(c)
			return
		}
		variedPage(c)
	})
	for range 3 {
		s.get("/a", "X-Select: plaintext")
		s.get("/small")
	}
	if !s.get("/a", "X-Select: plaintext").hit() || !s.get("/small").hit() {
		t.Fatal("nothing is stored, or this test shows nothing")
	}
	s.purgeTags("other")
	tag := stored.NameTag("plaintext-tag")
	page := sha256.Sum256([]byte("/small"))
	for _, key := range s.memory.Keys() {
		item, ok := s.memory.Item(key)
		if !ok || key == "page:n" {
			continue
		}
		if strings.Contains(string(item.Value), "plaintext") {
			t.Errorf("%s is readable", key)
		}
		if _, err := stored.Open(item.Value); err == nil {
			t.Errorf("%s shows what kind it is", key)
		}
		for _, sum := range [][]byte{tag[:], page[:]} {
			if strings.Contains(key, base64.RawURLEncoding.EncodeToString(sum)) {
				t.Errorf("%s can be guessed", key)
			}
		}
	}
	plain, sealed := newSite(t, minute(), text("x")), newSite(t, sealedBy(1), text("x"))
	plain.get("/small")
	sealed.get("/small")
	if pageKeyOf(t, plain) == pageKeyOf(t, sealed) {
		t.Error("the key of a page can be guessed")
	}
}

// TestSealed_WriterCanOnlyDelete: whatever is put, moved or changed is a miss.
func TestSealed_WriterCanOnlyDelete(t *testing.T) {
	want := ""
	s := newSite(t, sealedBy(1), func(c *gin.Context) { c.String(http.StatusOK, c.Request.URL.Path) })
	attack := func(name string, change func(item *memcached.Item, other []byte) []byte) {
		t.Helper()
		s.get("/one")
		key := pageKeyOf(t, s)
		item, _ := s.memory.Item(key)
		stranger := newSite(t, sealedBy(2), text("evil"))
		stranger.get("/one")
		foreign, _ := stranger.memory.Item(pageKeyOf(t, stranger))
		s.memory.SetItem(&memcached.Item{Key: key, Value: change(item, foreign.Value)})
		if r := s.get("/one"); r.body != "/one" || r.hit() {
			t.Errorf("%s: %q (%s), want a miss %q", name, r.body, r.cacheStatus(), want)
		}
		if r := s.get("/one"); !r.hit() {
			t.Errorf("%s: then %s, want a hit: it was replaced", name, r.cacheStatus())
		}
	}
	attack("an entry without a seal", func(item *memcached.Item, _ []byte) []byte {
		return (&stored.Entry{Key: item.Key, Status: 200, Body: []byte("evil")}).Encode()
	})
	attack("a lock without a seal", func(*memcached.Item, []byte) []byte { return stored.Mark(stored.KindLock, 1) })
	attack("another's seal", func(_ *memcached.Item, foreign []byte) []byte { return foreign })
	attack("nothing", func(*memcached.Item, []byte) []byte { return nil })
	for i := range 60 {
		attack(fmt.Sprint("byte ", i), func(item *memcached.Item, _ []byte) []byte {
			changed := bytes.Clone(item.Value)
			changed[i%len(changed)] ^= 1
			return changed
		})
	}
	one, _ := s.memory.Item(pageKeyOf(t, s))
	if err := s.client.Delete(t.Context(), one.Key); err != nil {
		t.Fatal(err)
	}
	s.get("/two")
	two := pageKeyOf(t, s)
	s.memory.SetItem(&memcached.Item{Key: two, Value: one.Value})
	if r := s.get("/two"); r.body != "/two" || r.hit() {
		t.Errorf("the entry of another page: %q (%s), want a miss", r.body, r.cacheStatus())
	}
}

// TestSealed_EntryOfAnotherPrefixOfTheClient: as of another Options.Prefix.
func TestSealed_EntryOfAnotherPrefixOfTheClient(t *testing.T) {
	memory := memcachedtest.Start(t, nil)
	siteOf := func(tenant string) *site {
		client, err := memcached.New([]string{memory.Addr()}, &memcached.Options{DialContext: memory.DialContext, Prefix: tenant})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		return newSiteWith(t, client, sealedBy(1), nil, text(tenant))
	}
	one, two := siteOf("one:"), siteOf("two:")
	one.get("/a")
	if r := one.get("/a"); !r.hit() {
		t.Fatalf("response = %s, want a hit", r.cacheStatus())
	}
	for _, key := range memory.Keys() {
		item, _ := memory.Item(key)
		memory.SetItem(&memcached.Item{Key: "two:" + strings.TrimPrefix(key, "one:"), Value: bytes.Clone(item.Value)})
	}
	if r := two.get("/a"); r.body != "two:" {
		t.Errorf("response = %q (%s), want that of its own handler", r.body, r.cacheStatus())
	}
}

// TestSealed_EverythingWorks: variants, tags, chunks, locks, purges, and a change of
// keys.
func TestSealed_EverythingWorks(t *testing.T) {
	memory := memcachedtest.Start(t, nil)
	old, both, fresh := newSiteOn(t, memory, sealedBy(1, 2), variedPage), newSiteOn(t, memory, sealedBy(2, 1), variedPage), newSiteOn(t, memory, sealedBy(2), variedPage)
	sites := []*site{old, both, fresh}
	for _, s := range sites {
		s.get("/a", "X-Select: 1")
		s.get("/a", "X-Select: 2")
		for _, line := range []string{"X-Select: 1", "X-Select: 2"} {
			if r := s.get("/a", line); !r.hit() || !strings.HasPrefix(r.body, "plaintext of /a") {
				t.Errorf("%s: %d bytes (%s), want a hit", line, len(r.body), r.cacheStatus())
			}
		}
	}
	if runs := fresh.runs.Load(); runs != 0 {
		t.Errorf("where the second key is the only one, the handler ran %d times, want 0: another stored", runs)
	}
	for name, purge := range map[string]func(){
		"Purge": func() {
			if err := both.cache.Purge(t.Context(), both.request(t.Context(), http.MethodGet, "/a")); err != nil {
				t.Error(err)
			}
		},
		"PurgeTags": func() { old.purgeTags("plaintext-tag") },
	} {
		for _, s := range sites {
			s.get("/a", "X-Select: 1")
		}
		purge()
		for i, s := range sites[:2] { // the keys of the third are those of the second
			if r := s.get("/a", "X-Select: 1"); r.hit() {
				t.Errorf("after %s by one that has both keys, site %d: %s", name, i, r.cacheStatus())
			}
		}
	}
}

// TestSealed_NumberOfPurgesUndoesNone: whoever can write foresees no purge.
func TestSealed_NumberOfPurgesUndoesNone(t *testing.T) {
	for _, back := range []int{1, 2} { // by each number that a purge could take again
		for by, soft := range softPurges {
			for _, hard := range []bool{false, true} {
				t.Run(fmt.Sprint(by, ", purge ", hard, ", back by ", back), func(t *testing.T) {
					opts := sealedBy(1)
					opts.PathTags = true
					s := newSite(t, opts, text("x", "Cache-Tag: tag"))
					purge := func() {
						t.Helper()
						err := soft(s)
						if hard && err == nil {
							err = s.cache.PurgeAll(t.Context())
						}
						if err != nil {
							t.Error(err)
						}
					}
					purge()
					purge() // now the tags have all that they can have
					s.get("/blog/a")
					s.wantPage("/blog/a", "x", "hit")
					counter, ok := s.memory.Item("page:n")
					if !ok {
						t.Fatal("there is no number of purges")
					}
					var n int64
					if _, err := fmt.Sscan(string(counter.Value), &n); err != nil {
						t.Fatal(err)
					}
					s.memory.SetItem(&memcached.Item{Key: "page:n", Value: fmt.Append(nil, n-int64(back))})
					purge()
					if r := s.get("/blog/a"); r.hit() {
						t.Errorf("after a purge that returned nil: %s", r.cacheStatus())
					}
				})
			}
		}
	}
}
