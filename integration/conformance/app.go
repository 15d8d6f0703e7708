package main

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// app is the middleware under test: in front of a reverse proxy that leads to
// the origin of the suite.
type app struct {
	server *http.Server
	cache  *middleware.Cache
	url    string
	served chan error
}

func init() { gin.SetMode(gin.ReleaseMode) } // one for the whole program

// framework is what the cache is used with.
type framework string

const (
	ginFramework     framework = "gin"
	netHTTPFramework framework = "net/http"
)

// startApp serves on a free port of the loopback interface.
func startApp(client *memcached.Client, origin string, with framework, opts *middleware.Options) (*app, error) {
	target, err := url.Parse(origin)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	site := new(engine)
	opts.Engine = site
	opts.Logger = slog.New(slog.DiscardHandler)
	cache, err := middleware.New(client, opts)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	if site.Handler = cache.Wrap(proxy(target)); with == ginFramework {
		router := gin.New()
		router.Use(gin.CustomRecoveryWithWriter(io.Discard, func(c *gin.Context, _ any) { c.AbortWithStatus(http.StatusInternalServerError) }))
		router.NoRoute(cache.Handler(), gin.WrapH(proxy(target)))
		site.Handler = router
	}
	a := &app{
		server: &http.Server{Handler: site, ReadHeaderTimeout: time.Minute},
		cache:  cache,
		url:    "http://" + listener.Addr().String(),
		served: make(chan error, 1),
	}
	go func() { a.served <- a.server.Serve(listener) }() // stop waits for it
	return a, nil
}

// engine is the site, which its own cache must know.
type engine struct{ http.Handler }

func (a *app) stop() error {
	err := a.server.Close()
	if served := <-a.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return errors.Join(err, a.cache.Close())
}

// proxy leads to target. It neither reuses connections, on which a request may
// have to be repeated, nor asks for compression on its own account.
func proxy(target *url.URL) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: restoreCoding,
		Transport:      &http.Transport{DisableKeepAlives: true, DisableCompression: true, DialContext: dialLoose},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.WriteHeader(http.StatusBadGateway)
		},
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
}
