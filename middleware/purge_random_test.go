package middleware_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// TestPurges_WhoComesLaterGetsNothingOlder: whatever two processes, visitors of two
// variants, reloads and purges of all kinds do at the same time. After a purge nothing
// from before is sent, and after a soft one nothing as if it were fresh.
func TestPurges_WhoComesLaterGetsNothingOlder(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			inTime(t, func(t *testing.T) { purgeAtRandom(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func purgeAtRandom(t *testing.T, random *rand.Rand) {
	var version, softFloor, hardFloor atomic.Int64
	lines := []string{"Cache-Tag: tag", "Vary: " + []string{"", "Lang"}[random.IntN(2)]}
	if random.IntN(2) == 0 {
		lines = append(lines, `ETag: "1"`)
	}
	longest := time.Duration(1+random.IntN(3)) * time.Second
	handler := func(c *gin.Context) {
		read := version.Load()
		time.Sleep(rand.N(longest))
		text(strconv.FormatInt(read, 10), lines...)(c)
	}
	opts := &middleware.Options{TTL: 20 * time.Second, PathTags: true}
	opts.StaleWhileRevalidate = time.Duration(random.IntN(2)) * 10 * time.Second
	memory := memcachedtest.Start(t, nil)
	sites := []*site{newSiteOn(t, memory, opts, handler), newSiteOn(t, memory, opts, handler)}
	var clients sync.WaitGroup
	for i := range 8 {
		own := rand.New(rand.NewPCG(random.Uint64(), uint64(i)))
		clients.Go(func() {
			for range 60 {
				time.Sleep(time.Duration(own.IntN(700)) * time.Millisecond)
				request := []string{"Lang: " + strconv.Itoa(own.IntN(2))}
				if own.IntN(8) == 0 {
					request = append(request, reloads[own.IntN(len(reloads))])
				}
				soft, hard := softFloor.Load(), hardFloor.Load()
				r := sites[own.IntN(2)].get("/blog/a", request...)
				n, err := strconv.ParseInt(r.body, 10, 64)
				stale := strings.HasSuffix(r.cacheStatus(), "detail=stale")
				if err != nil || n < hard || n < soft && !stale {
					t.Errorf("%q is answered %q (%s), want %d or later, at least %d if stale", request, r.body, r.cacheStatus(), soft, hard)
				}
			}
		})
	}
	clients.Go(func() {
		for range 20 {
			time.Sleep(time.Duration(random.IntN(4000)) * time.Millisecond)
			n := version.Add(1)
			s := sites[random.IntN(2)]
			if random.IntN(2) == 0 {
				for _, purge := range softPurges { // any
					if err := purge(s); err != nil {
						t.Error(err)
					}
					break
				}
			} else {
				s.purgeHard(random.IntN(3))
				hardFloor.Store(n)
			}
			softFloor.Store(n)
		}
	})
	clients.Wait()
}

// purgeHard purges /blog/a in one of three ways.
func (s *site) purgeHard(way int) {
	s.tb.Helper()
	var err error
	switch ctx := s.tb.Context(); way {
	case 0:
		err = s.cache.Purge(ctx, s.request(ctx, http.MethodGet, "/blog/a"))
	case 1:
		err = s.cache.PurgeTags(ctx, "tag")
	default:
		err = s.cache.PurgePath(ctx, s.request(ctx, http.MethodGet, "/"))
	}
	if err != nil {
		s.tb.Error(err)
	}
}
