package middleware_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

const touchedKey = "github.com/bmemcached/bmemcached-go/session.touched"

// TestSession_OfAConfirmationIsPrivate: the handler that says that nothing has
// changed looked at a session to know.
func TestSession_OfAConfirmationIsPrivate(t *testing.T) {
	for name, touch := range map[string]gin.HandlerFunc{
		"gin's context": func(c *gin.Context) { c.Set(touchedKey, true) },
		"the request's": func(c *gin.Context) {
			//lint:ignore SA1029 the key that package session uses
			c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), touchedKey, true)) //nolint
		},
	} {
		inTime(t, func(t *testing.T) {
			v := &versioned{etag: `"v1"`, control: "max-age=10", body: "hello"}
			s := newSite(t, nil, slow(func(c *gin.Context) {
				if c.GetHeader("If-None-Match") != "" {
					touch(c)
				}
				v.serve(c)
			}))
			s.get("/a")
			time.Sleep(15 * time.Second)
			together(5, "/a", s)
			s.wantRuns(6)
			if r := s.get("/a"); r.hit() {
				t.Errorf("%s: then %s, want it asked again", name, r.cacheStatus())
			}
		})
	}
}

func TestSession_FollowersAreReleasedByTheHeader(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), func(c *gin.Context) {
			c.Set(touchedKey, true)
			c.String(http.StatusOK, "x")
			time.Sleep(time.Hour)
		})
		done := make(chan struct{})
		go func() { s.get("/a"); close(done) }()
		synctest.Wait()
		began := time.Now()
		together(3, "/a", s)
		if took := time.Since(began); took > time.Hour+time.Minute {
			t.Errorf("followers took %v, want an hour: they need not wait for the end", took)
		}
		<-done
	})
}

// lastHeader is a ResponseWriter that takes interim responses.
type lastHeader struct {
	header http.Header
	codes  []int
}

func (w *lastHeader) Header() http.Header { return w.header }

func (w *lastHeader) Write(p []byte) (int, error) { return len(p), nil }

func (w *lastHeader) WriteHeader(status int) { w.codes = append(w.codes, status) }

// TestSession_TouchedLateThroughAnotherRequest: middleware below the cache may
// have replaced the request that the session is marked in.
func TestSession_TouchedLateThroughAnotherRequest(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) {
		c.String(http.StatusOK, "x")
		//lint:ignore SA1029 the key that package session uses
		c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), touchedKey, true)) //nolint
	})
	s.get("/a")
	s.get("/a")
	s.wantRuns(2)
}

// TestSession_OfAHEADIsPrivate: what it says of the page is not for others.
func TestSession_OfAHEADIsPrivate(t *testing.T) {
	layers := map[string]gin.HandlerFunc{
		"a session":        func(c *gin.Context) { c.Set(touchedKey, true) },
		"private above":    func(c *gin.Context) { c.Writer = privateWriter{c.Writer} },
		"a cookie above":   func(c *gin.Context) { c.Writer = &firstByte{ResponseWriter: c.Writer} },
		"nothing of these": func(*gin.Context) {},
	}
	for name, layer := range layers {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				touch := func(*gin.Context) {}
				above := func(c *gin.Context) {
					if name != "a session" && c.GetHeader("User") != "" {
						layer(c)
					}
				}
				if name == "a session" {
					touch = layer
				}
				s := newSiteAbove(t, memcachedtest.Start(t, nil), nil, above, func(c *gin.Context) {
					if c.GetHeader("User") != "" {
						touch(c)
					}
					setLines(c, "Cache-Control: max-age=10", `Etag: "1"`, "X-User: "+c.GetHeader("User"))
					c.String(http.StatusOK, "x")
				})
				s.get("/a")
				time.Sleep(15 * time.Second)
				s.do(http.MethodHead, "/a", "User: ada")
				r := s.get("/a")
				if want := name == "nothing of these"; (r.Header.Get("X-User") == "ada") != want {
					t.Errorf("another visitor gets X-User: %q (%s)", r.Header.Get("X-User"), r.cacheStatus())
				}
			})
		})
	}
}

// TestPrivate_SaidAboveAtTheFirstByteOfAConfirmation: its header is not for others.
func TestPrivate_SaidAboveAtTheFirstByteOfAConfirmation(t *testing.T) {
	for _, control := range []string{"max-age=10", "max-age=10, stale-while-revalidate=60"} {
		inTime(t, func(t *testing.T) {
			above := func(c *gin.Context) {
				if c.GetHeader("User") != "" {
					c.Writer = privateWriter{c.Writer}
				}
			}
			s := newSiteAbove(t, memcachedtest.Start(t, nil), nil, above, func(c *gin.Context) {
				setLines(c, "Cache-Control: "+control, `Etag: "1"`, "X-User: "+c.GetHeader("User"))
				if c.GetHeader("If-None-Match") != "" {
					c.Status(http.StatusNotModified)
					return
				}
				c.String(http.StatusOK, "x")
			})
			s.get("/a")
			time.Sleep(15 * time.Second)
			s.get("/a", "User: ada")
			synctest.Wait()
			s.wantRuns(2)
			if r := s.get("/a"); r.Header.Get("X-User") == "ada" {
				t.Errorf("%s: another visitor gets X-User: %q (%s)", control, r.Header.Get("X-User"), r.cacheStatus())
			}
		})
	}
}
