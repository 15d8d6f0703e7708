package composition_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// secret is what everybody signs with.
var secret = []byte("0123456789abcdef0123456789abcdef")

// setting is how the cache is set up.
type setting struct {
	name string
	opts middleware.Options
}

var settings = []setting{
	{"TTL", middleware.Options{TTL: time.Minute}},
	{"only what pages declare", middleware.Options{}},
	{"sealed", middleware.Options{TTL: time.Minute, SealKeys: [][]byte{secret}}},
	{"PathTags", middleware.Options{TTL: time.Minute, PathTags: true}},
	{"PersonalCookies", middleware.Options{TTL: time.Minute, PersonalCookies: []string{"sid", "session", gorillaName}}},
	{"IgnoreRequestDirectives", middleware.Options{TTL: time.Minute, IgnoreRequestDirectives: true}},
	{"stale while revalidate", middleware.Options{TTL: time.Minute, StaleWhileRevalidate: time.Minute, StaleIfError: time.Minute}},
	{"small bodies", middleware.Options{TTL: time.Minute, MaxBody: 1000}},
	{"NeutralCookies", middleware.Options{TTL: time.Minute, NeutralCookies: []string{"consent"}}},
	{"RequestFields", middleware.Options{TTL: time.Minute, RequestFields: neededFields}},
	{"Key", middleware.Options{TTL: time.Minute, Key: func(r *http.Request) (string, bool) { return r.URL.Path, true }}},
	{"Lifetime", middleware.Options{TTL: time.Minute, StaleIfUnreachable: true, Lifetime: noErrors}},
}

// neededFields are those that pages and layers below the cache look at.
var neededFields = []string{
	"Accept-Encoding", "Accept-Language", "Access-Control-Request-Method", "Cookie", "Origin", "Sec-Fetch-Site", "X-Request-Id",
}

// noErrors has nothing stored but pages.
func noErrors(_ *http.Request, status int, _ http.Header, stated time.Duration) time.Duration {
	if status >= http.StatusBadRequest {
		return -1
	}
	return stated
}

// instance is a site in operation, with the cache or without.
type instance struct {
	site   *site
	client *memcached.Client
	prefix string
	handle http.Handler

	mu       sync.Mutex // guards versions
	versions map[string]int
}

// wrapper is a cache, or what stands in for one.
type wrapper interface {
	Handler() gin.HandlerFunc
	Wrap(http.Handler) http.Handler
}

// newInstance starts a site. cache is nil for the one as it should be.
func newInstance(s *site, client *memcached.Client, prefix string, cache wrapper) *instance {
	in := &instance{site: s, client: client, prefix: prefix, versions: map[string]int{}}
	var engine http.Handler
	switch s.framework {
	case ginFramework:
		engine = in.ginEngine(cache)
	case echoFramework:
		engine = in.echoEngine(cache)
	default:
		engine = in.httpEngine(cache)
	}
	in.handle = in.wrap(s.around, engine)
	return in
}

// path is that of a page.
func path(page int) string { return fmt.Sprintf("/%d", page) }

func (in *instance) wrap(ls []layer, h http.Handler) http.Handler {
	for i := len(ls) - 1; i >= 0; i-- {
		h = ls[i].http(in)(h)
	}
	return h
}

func (in *instance) ginEngine(cache wrapper) http.Handler {
	router := gin.New()
	for _, l := range in.site.above {
		router.Use(append([]gin.HandlerFunc{l.gin(in)}, l.then...)...)
	}
	router.Use(putBack)
	if cache != nil {
		router.Use(cache.Handler())
	}
	for _, l := range in.site.below {
		router.Use(append([]gin.HandlerFunc{l.gin(in)}, l.then...)...)
	}
	for i, p := range in.site.pages {
		router.Any(path(i), func(c *gin.Context) {
			in.serve(p, &view{in: in, w: c.Writer, r: c.Request, gin: c})
		})
	}
	return router
}

// putBack puts back what layers below leave in the context, as the cache does for most
// requests: gin-contrib/timeout leaves a writer that writes nothing, into which gin then
// writes its 404. Both sites have it, because that is no difference that matters.
func putBack(c *gin.Context) {
	w, r := c.Writer, c.Request
	defer func() { c.Writer, c.Request = w, r }()
	c.Next()
}

func (in *instance) httpEngine(cache wrapper) http.Handler {
	mux := http.NewServeMux()
	for i, p := range in.site.pages {
		mux.HandleFunc(path(i), func(w http.ResponseWriter, r *http.Request) {
			in.serve(p, &view{in: in, w: w, r: r})
		})
	}
	h := in.wrap(in.site.below, mux)
	if cache != nil {
		h = cache.Wrap(h)
	}
	return h
}

// newCache returns the cache of a site.
func newCache(s *site, client *memcached.Client, prefix string) (*middleware.Cache, error) {
	opts := s.cache.opts
	opts.Prefix = prefix
	opts.LookupTimeout = 5 * time.Second // a busy machine is not a broken cache
	opts.Logger = slog.New(slog.DiscardHandler)
	return middleware.New(client, &opts)
}

// mount is what the layers around take from the path.
func (s *site) mount() string {
	mount := ""
	for _, l := range s.around {
		mount += l.mount
	}
	return mount
}

// view is a page as it is asked for.
type view struct {
	in   *instance
	w    http.ResponseWriter
	r    *http.Request
	gin  *gin.Context // nil: another framework
	echo echo.Context // likewise
	err  error        // that a handler of echo returns
}

func (in *instance) serve(p page, v *view) {
	switch v.r.Method {
	case http.MethodPost:
		in.change(v)
	case http.MethodOptions:
		v.w.WriteHeader(http.StatusNoContent)
	default:
		p.serve(v)
	}
}

func (v *view) key() string { return v.r.URL.Path + "?" + v.r.URL.RawQuery }

// version is how often the page was changed.
func (v *view) version() int {
	v.in.mu.Lock()
	defer v.in.mu.Unlock()
	return v.in.versions[v.key()]
}

// text is what the page says: it is made for its URL alone.
func (v *view) text() string { return fmt.Sprintf("page %s, version %d", v.key(), v.version()) }

// long is the same, and worth compressing.
func (v *view) long() string {
	return v.text() + strings.Repeat(" with some text that compresses well, and again", 60)
}

// transaction is what a layer commits after the handler has answered.
type transaction struct{ commits []func() }

type transactionKey struct{}

// change is what a POST does.
func (in *instance) change(v *view) {
	key := v.key()
	commit := func() {
		in.mu.Lock()
		in.versions[key]++
		in.mu.Unlock()
	}
	act := v.r.Header.Get("X-Change")
	if act == "fails" {
		http.Error(v.w, "it does not work", http.StatusInternalServerError)
		return
	}
	if tx, ok := v.r.Context().Value(transactionKey{}).(*transaction); ok {
		tx.commits = append(tx.commits, commit)
	} else {
		commit()
	}
	switch act {
	case "redirects":
		http.Redirect(v.w, v.r, v.r.URL.String(), http.StatusSeeOther)
	case "is silent":
		v.w.WriteHeader(http.StatusNoContent)
	default:
		fmt.Fprintf(v.w, "changed %s", key)
	}
}

// withTransaction makes r one of a transaction, and returns what ends it.
func withTransaction(r *http.Request) (*http.Request, func()) {
	tx := new(transaction)
	return r.WithContext(context.WithValue(r.Context(), transactionKey{}, tx)), func() {
		for _, commit := range tx.commits {
			commit()
		}
	}
}
