package main

import (
	"crypto/rand"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/eko/gocache/lib/v4/cache"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware"
	"github.com/bmemcached/bmemcached-go/session"
)

//go:embed templates static
var files embed.FS

// A site is the magazine: one client, and the three things that use it.
type site struct {
	backend  *backend
	controls sync.Mutex // held while servers of the backend are stopped and started

	client   *memcached.Client
	pages    *middleware.Cache               // whole pages
	tides    *cache.LoadableCache[tideTable] // a value that is slow to compute
	crowd    *crowd                          // many visitors, who want one value
	sessions *session.Store                  // logins and carts

	meter     *meter
	log       *slog.Logger
	templates map[string]*template.Template
	router    *gin.Engine
}

// newSite returns the site on a backend. The caller closes it, before the
// backend.
func newSite(b *backend, log *slog.Logger) (*site, error) {
	s := &site{backend: b, meter: newMeter(), log: log, router: gin.New()}
	var err error
	if s.templates, err = parseTemplates(); err != nil {
		return nil, err
	}
	options := b.options
	options.Logger = log
	options.Tracer = s.meter
	if s.client, err = memcached.New(b.addrs, &options); err != nil {
		return nil, fmt.Errorf("demo: MEMCACHED_SERVERS: %w", err)
	}
	if s.pages, err = middleware.New(s.client, &middleware.Options{
		Prefix: "demo:page:",
		// A second for a memcached far away, as one tries out a hosted one;
		// beside the site the default of 100 ms is better.
		LookupTimeout: time.Second,
		Engine:        s.router, // stale pages are made anew in the background
		OnEvent:       s.meter.page,
		Logger:        log,
	}); err != nil {
		return nil, err
	}
	if s.tides, err = newTides(s.client); err != nil {
		return nil, err
	}
	if s.crowd, err = newCrowd(s.client); err != nil {
		return nil, err
	}
	// Keys of this run: a restart of the program ends all sessions. A real site
	// has the keys in its secret store.
	s.sessions, err = session.New(s.client, &session.Options{
		Prefix:      "demo:session:",
		IdleTimeout: time.Hour,
		Logger:      log,
	}, randomKey(), randomKey())
	if err != nil {
		return nil, err
	}
	s.routes()
	s.meter.start(s.client)
	return s, nil
}

func randomKey() []byte {
	key := make([]byte, 32)
	rand.Read(key)
	return key
}

// close ends what the site has started.
func (s *site) close() {
	s.meter.stop()
	s.pages.Close()
	s.tides.Close()
	s.crowd.close()
	s.client.Close()
}

// maxForm is how many bytes a request may send: the site's forms are small.
const maxForm = 16 << 10

// handler returns the site. Forms of other sites are refused.
func (s *site) handler() http.Handler {
	return http.NewCrossOriginProtection().Handler(http.MaxBytesHandler(s.router, maxForm))
}

func (s *site) routes() {
	s.router.Use(gin.CustomRecoveryWithWriter(nil, s.recovered), secure)
	static, err := fs.Sub(files, "static")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	assets := s.router.Group("/static", func(c *gin.Context) { c.Header("Cache-Control", "public, max-age=60") })
	assets.StaticFS("", http.FS(static))

	// The same for everybody, and kept in memcached.
	cached := s.router.Group("/", serverTiming, ignoreReload, s.pages.Handler())
	get(cached, "/", s.listArticles)
	get(cached, "/articles/:slug", s.showArticle)

	// Made for one visitor, or measured now: never kept.
	own := s.router.Group("/", fresh)
	get(own, "/tides", s.showTides)
	get(own, "/crowd", s.showCrowd)
	own.POST("/crowd", s.sendCrowd)
	get(own, "/status", s.showStatus)
	get(own, "/status.json", s.statusJSON)
	own.POST("/articles/:slug/purge", s.purgeArticle)
	own.POST("/purge/articles", s.purgeArticles)
	own.POST("/purge/tides", s.purgeTides)
	own.POST("/servers/:number/stop", s.stopServer)
	own.POST("/servers/:number/restart", s.restartServer)

	visitors := own.Group("/", ginsessions.Sessions(cookieName, s.sessions))
	get(visitors, "/me.json", s.me)
	get(visitors, "/login", s.showLogin)
	visitors.POST("/login", s.login)
	visitors.POST("/logout", s.logout)
	visitors.POST("/logout/others", s.logoutOthers)
	visitors.POST("/logout/one", s.logoutOne)
	get(visitors, "/cart", s.showCart)
	visitors.POST("/cart", s.changeCart)

	s.router.NoRoute(fresh, func(c *gin.Context) {
		s.fail(c, http.StatusNotFound, "There is nothing at this address.", nil)
	})
}

// get routes GET, and HEAD, which is GET whose body is not sent.
func get(routes gin.IRoutes, path string, handler gin.HandlerFunc) {
	routes.Match([]string{http.MethodGet, http.MethodHead}, path, handler)
}

// secure keeps the browser from loading or showing what is not of the site.
func secure(c *gin.Context) {
	c.Header("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	c.Header("Referrer-Policy", "same-origin")
	c.Header("X-Content-Type-Options", "nosniff")
}

// fresh marks what nobody may keep.
func fresh(c *gin.Context) { c.Header("Cache-Control", "no-store") }

// ignoreReload lets a browser's reload be answered from the cache, as the caches
// of content delivery networks do: the buttons are what purges.
func ignoreReload(c *gin.Context) {
	c.Request.Header.Del("Cache-Control")
	c.Request.Header.Del("Pragma")
}
