package middleware_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

func TestOnlyIfCached_WithoutMemcachedIs504(t *testing.T) {
	s := newSite(t, minute(), text("x"))
	s.memory.Stop()
	if r := s.get("/a", "Cache-Control: only-if-cached"); r.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("status = %d, want 504: nothing is known to be stored", r.StatusCode)
	}
	s.wantRuns(0)
}

func TestHEAD_OfAMissingPageHoldsNobodyUp(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), func(c *gin.Context) {
			if c.Request.Method == http.MethodHead {
				time.Sleep(time.Hour)
			}
			c.String(http.StatusOK, "x")
		})
		var wg sync.WaitGroup
		defer wg.Wait()
		wg.Go(func() { s.do(http.MethodHead, "/a") })
		time.Sleep(time.Second)
		began := time.Now()
		if r := s.get("/a"); r.body != "x" || time.Since(began) > 0 {
			t.Errorf("GET beside a slow HEAD = %q after %v, want it at once", r.body, time.Since(began))
		}
	})
}

func TestHEAD_InTheWindowRevalidatesTheWhole(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, func(c *gin.Context) {
			if c.GetHeader("Cache-Control") != "" {
				t.Errorf("the handler sees Cache-Control: %s of a client that was answered already", c.GetHeader("Cache-Control"))
			}
			c.Header("Cache-Control", "max-age=10, stale-while-revalidate=30")
			c.String(http.StatusOK, "whole")
		})
		s.get("/a")
		time.Sleep(15 * time.Second)
		s.do(http.MethodHead, "/a", "Cache-Control: max-stale=9")
		time.Sleep(time.Second)
		if r := s.get("/a"); r.body != "whole" || r.cacheStatus() != "bmemcached; hit; ttl=9" {
			t.Errorf("then = %q (%s), want the whole page, made a second ago", r.body, r.cacheStatus())
		}
		s.wantRuns(2)
	})
}

func TestHEAD_OfAnotherDateOrLengthRemovesTheStoredResponse(t *testing.T) {
	lines := map[string]string{"Last-Modified": "Sat, 01 Jan 2000 00:00:00 GMT", "Content-Length": "4"}
	for name, stored := range map[string]string{"Last-Modified": "Fri, 31 Dec 1999 00:00:00 GMT", "Content-Length": "4"} {
		for _, same := range []bool{true, false} {
			inTime(t, func(t *testing.T) {
				s := newSite(t, nil, func(c *gin.Context) {
					c.Header("Cache-Control", "max-age=10, stale-if-error=600")
					if c.Request.Method == http.MethodGet {
						if name == "Last-Modified" {
							c.Header(name, stored)
						}
						c.String(http.StatusOK, "1234")
						return
					}
					c.Header(name, map[bool]string{true: stored, false: strings.Replace(lines[name], "4", "5", 1)}[same])
					c.Status(http.StatusOK)
				})
				s.get("/a")
				time.Sleep(11 * time.Second)
				s.do(http.MethodHead, "/a")
				r := s.get("/a", "Cache-Control: only-if-cached, max-stale")
				if kept := r.StatusCode == http.StatusOK; kept != same {
					t.Errorf("after a HEAD whose %s is the same, %v: kept %v (%s)", name, same, kept, r.cacheStatus())
				}
			})
		}
	}
}

func TestRange_OnlyOfAWholeResponseToAGET(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), func(c *gin.Context) {
			status := http.StatusOK
			if c.Request.URL.Path == "/gone" {
				status = http.StatusGone
			}
			c.String(status, "0123456789")
		})
		s.get("/a")
		s.get("/gone")
		if r := s.do(http.MethodHead, "/a", "Range: bytes=0-1"); r.StatusCode != http.StatusOK || r.Header.Get("Content-Length") != "10" {
			t.Errorf("HEAD with a range = %d of %s bytes, want 200 of all", r.StatusCode, r.Header.Get("Content-Length"))
		}
		if r := s.get("/gone", "Range: bytes=0-1"); r.StatusCode != http.StatusGone || r.body != "0123456789" || !r.hit() {
			t.Errorf("range of a 410 = %d %q (%s), want the stored 410", r.StatusCode, r.body, r.cacheStatus())
		}
	})
}

func TestRange_OfWhatIsCodedAboveTheCacheIsIgnored(t *testing.T) {
	inTime(t, func(t *testing.T) {
		above := func(c *gin.Context) {
			c.Header("Content-Encoding", "test")
			c.Writer = &upper{c.Writer}
		}
		s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), above, text("abcdef", "Content-Length: 6"))
		s.get("/a")
		r := s.get("/a", "Range: bytes=0-1")
		if r.StatusCode != http.StatusOK || r.body != "ABCDEF" || r.Header.Get("Content-Length") != "" || !r.hit() {
			t.Errorf("range of a stored response that is coded above = %d %q %v, want the whole, without the length below", r.StatusCode, r.body, r.Header)
		}
	})
}

func TestValidation_DateOfA304IsThatOfTheConfirmation(t *testing.T) {
	inTime(t, func(t *testing.T) {
		v := &versioned{etag: `"v1"`, control: "max-age=10", body: "hello"}
		s := newSite(t, nil, v.serve)
		s.get("/a")
		time.Sleep(11 * time.Second)
		confirmed := time.Now().UTC().Format(http.TimeFormat)
		s.get("/a")
		time.Sleep(2 * time.Second)
		if r := s.get("/a"); !r.hit() || r.Header.Get("Date") != confirmed {
			t.Errorf("Date of %s = %q, want %q, when it was confirmed", r.cacheStatus(), r.Header.Get("Date"), confirmed)
		}
	})
}

func TestValidation_TagsOfTwoCodingsDiffer(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), func(c *gin.Context) {
			c.Header("Vary", "Accept-Encoding")
			c.Header("Content-Encoding", c.GetHeader("Accept-Encoding"))
			c.String(http.StatusOK, "the same bytes")
		})
		tags := map[string]bool{}
		for _, coding := range []string{"br", "gzip"} {
			s.get("/a", "Accept-Encoding: "+coding)
			tags[s.get("/a", "Accept-Encoding: "+coding).Header.Get("ETag")] = true
		}
		if len(tags) != 2 || tags[""] {
			t.Errorf("tags of two codings = %v, want two", tags)
		}
	})
}

func TestValidation_DateOfAClientDoesNotDecideWhatIsStored(t *testing.T) {
	inTime(t, func(t *testing.T) {
		v := &versioned{modified: time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat), control: "max-age=10", body: "hello"}
		s := newSite(t, nil, v.serve)
		if r := s.get("/a", "If-Modified-Since: "+v.modified); r.StatusCode != http.StatusNotModified {
			t.Errorf("first = %d, want 304", r.StatusCode)
		}
		if r := s.get("/a"); r.body != "hello" || !r.hit() {
			t.Errorf("second = %q (%s), want a hit with the body", r.body, r.cacheStatus())
		}
	})
}

// TestValidation_NoBodyWithA304: however the handler writes it.
func TestValidation_NoBodyWithA304(t *testing.T) {
	for name, write := range map[string]func(c *gin.Context){
		"Write":       func(c *gin.Context) { _, _ = c.Writer.Write([]byte("body")) },
		"WriteString": func(c *gin.Context) { _, _ = c.Writer.WriteString("body") },
		"Copy":        func(c *gin.Context) { _, _ = io.Copy(c.Writer, strings.NewReader("body")) },
	} {
		s := newSite(t, minute(), func(c *gin.Context) {
			c.Header("ETag", `"v1"`)
			c.Status(http.StatusOK)
			write(c)
		})
		if r := s.get("/a", `If-None-Match: "v1"`); r.StatusCode != http.StatusNotModified || r.body != "" {
			t.Errorf("%s: %d %q, want 304 without a body", name, r.StatusCode, r.body)
		}
		if r := s.get("/a"); r.body != "body" || !r.hit() {
			t.Errorf("%s: then %q (%s), want a hit with the body", name, r.body, r.cacheStatus())
		}
	}
}

func TestValidation_ConditionsAreForSuccesses(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) {
		c.Header("ETag", `"v1"`)
		c.String(http.StatusGone, "gone")
	})
	for _, hit := range []bool{false, true} {
		if r := s.get("/a", `If-None-Match: "v1"`); r.StatusCode != http.StatusGone || r.body != "gone" || r.hit() != hit {
			t.Errorf("conditional request for a 410 = %d %q (%s), want the 410", r.StatusCode, r.body, r.cacheStatus())
		}
	}
}

// TestCollapse_ShareOnlyWithWhomItSuits: a follower may ask for more than what
// the leader's response offers.
func TestCollapse_ShareOnlyWithWhomItSuits(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), slow(counting()))
		var wg sync.WaitGroup
		wg.Go(func() { s.get("/a") })
		time.Sleep(time.Millisecond)
		wg.Go(func() {
			if r := s.get("/a", "Cache-Control: min-fresh=600"); r.body != "2" {
				t.Errorf("who wants it fresh for ten minutes got run %s (%s), fresh for one", r.body, r.cacheStatus())
			}
		})
		wg.Wait()
		s.wantRuns(2)
	})
}

// TestKey_OfAnotherVariantIsNotServed: whatever stands under a variant's key must
// say that it is that variant, also when it is fetched together with the page.
func TestKey_OfAnotherVariantIsNotServed(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) {
		c.Header("Vary", "A")
		c.String(http.StatusOK, c.GetHeader("A"))
	})
	keys := map[string]string{}
	for _, a := range []string{"1", "2"} {
		s.get("/a", "A: "+a)
		s.get("/a", "A: "+a) // learns what the page needs
		for _, key := range s.memory.Keys() {
			if strings.HasPrefix(key, "page:v") && key != keys["1"] {
				keys[a] = key
			}
		}
	}
	item, _ := s.memory.Item(keys["1"])
	item.Key = keys["2"]
	s.memory.SetItem(item)
	if r := s.get("/a", "A: 2"); r.body != "2" {
		t.Errorf("variant 2 = %q (%s), want its own response", r.body, r.cacheStatus())
	}
}
