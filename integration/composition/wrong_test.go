package composition_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"
)

// wrongCache is a cache as people write it in an afternoon: by URL, and without RFC 9111.
type wrongCache struct {
	page     string // on which its mistake shows
	clue     string // by which it is known: the cache makes others, too
	mayStore func(r *http.Request, status int, h http.Header) bool
	key      func(r *http.Request) string
	change   func(h http.Header) // of what is stored

	mu    sync.Mutex
	pages map[string]*httptest.ResponseRecorder
}

func (c *wrongCache) Handler() gin.HandlerFunc { panic("only for net/http") }

func (c *wrongCache) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			c.mu.Lock()
			delete(c.pages, c.key(r))
			c.mu.Unlock()
			next.ServeHTTP(w, r)
			return
		}
		c.mu.Lock()
		page := c.pages[c.key(r)]
		c.mu.Unlock()
		if page == nil {
			page = httptest.NewRecorder()
			next.ServeHTTP(page, r)
			if c.mayStore(r, page.Code, page.Header()) {
				c.mu.Lock()
				c.pages[c.key(r)] = page
				c.mu.Unlock()
			}
		}
		header := page.Header().Clone()
		c.change(header)
		maps.Copy(w.Header(), header)
		w.WriteHeader(page.Code)
		_, _ = w.Write(page.Body.Bytes())
	})
}

// TestOracle_SeesWhatIsWrong: each mistake is found.
func TestOracle_SeesWhatIsWrong(t *testing.T) {
	careful := func(r *http.Request, status int, h http.Header) bool {
		forbidden := strings.Contains(strings.Join(h["Cache-Control"], ","), "private") || strings.Contains(h.Get("Cache-Control"), "no-")
		return status == http.StatusOK && r.Header.Get("Range")+r.Header.Get("Authorization") == "" && len(h["Set-Cookie"])+len(h["Vary"]) == 0 && !forbidden
	}
	byURL := func(r *http.Request) string { return r.URL.String() }
	nothing := func(http.Header) {}
	for name, cache := range map[string]*wrongCache{
		"cookies are stored": {
			page: "sets a cookie",
			clue: `(?s)bob: GET.*cookies: "\[mine=ada`,
			mayStore: func(r *http.Request, status int, h http.Header) bool {
				h = h.Clone()
				delete(h, "Set-Cookie")
				return careful(r, status, h)
			}, key: byURL, change: nothing,
		},
		"Vary is ignored": {
			page: "by language",
			clue: `"depage .*cache "page |"page .*cache "depage `,
			mayStore: func(r *http.Request, status int, h http.Header) bool {
				h = h.Clone()
				delete(h, "Vary")
				return careful(r, status, h)
			}, key: byURL, change: nothing,
		},
		"private is ignored": {
			page: "by a cookie, private",
			clue: `(?s)bob: GET.*body: "adapage .*cache "bobpage `,
			mayStore: func(r *http.Request, status int, h http.Header) bool {
				h = h.Clone()
				delete(h, "Cache-Control")
				return careful(r, status, h)
			}, key: byURL, change: nothing,
		},
		"queries are ignored": {page: "text", clue: `body: "page /.\?, .*cache "page /.\?q=1`, mayStore: careful, key: func(r *http.Request) string { return r.URL.Path }, change: nothing},
		"a field is lost":     {page: "fields with several lines", clue: `Link: "\[\]"`, mayStore: careful, key: byURL, change: func(h http.Header) { delete(h, "Link") }},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOracle(t)
			o.wrong = func(*site, string) wrapper {
				c := &wrongCache{mayStore: cache.mayStore, key: cache.key, change: cache.change, pages: map[string]*httptest.ResponseRecorder{}}
				return c
			}
			clue := regexp.MustCompile(cache.clue)
			for seed := range 1000 {
				s := sites.Example(seed)
				s.framework, s.above, s.around, s.below = netHTTP, nil, nil, nil // alone the wrong caches have enough faults
				for i := range s.pages {
					s.pages[i] = pages[slices.IndexFunc(pages, func(p page) bool { return p.name == cache.page })]
				}
				difference, err := o.run(&s)
				if err != nil {
					t.Fatal(err)
				}
				if clue.MatchString(difference) {
					t.Logf("seed %d, %s", seed, difference)
					return
				}
			}
			t.Error("the oracle sees nothing wrong")
		})
	}
}
