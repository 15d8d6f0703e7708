package middleware_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/middleware"
)

const (
	username = "site"
	password = "sec:ret with spaces"
	// appVariable makes this test binary a web application instead: it holds the
	// address of memcached.
	appVariable = "BMEMCACHED_MIDDLEWARE_APP"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.ReleaseMode)
	if addr := os.Getenv(appVariable); addr != "" {
		if err := serveApp(addr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveApp is a process of a site. It prints its address and serves until
// standard input ends, with whoever started it.
func serveApp(memcachedAddr string) error {
	client, err := memcached.New([]string{memcachedAddr}, &memcached.Options{Auth: sasl.Auto(username, password)})
	if err != nil {
		return err
	}
	defer client.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	app, err := newApp(client, nil)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: app.router}
	go func() { _ = server.Serve(listener) }() // Close ends it
	fmt.Println(listener.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = server.Close()
	return app.cache.Close()
}

// app is a site whose pages take as long and are as large as their query says.
type app struct {
	router *gin.Engine
	cache  *middleware.Cache
	runs   atomic.Int64
	body   func(c *gin.Context) string
}

func newApp(client middleware.Client, opts *middleware.Options) (*app, error) {
	a := &app{router: gin.New(), body: func(c *gin.Context) string { return "page " + c.Query("id") }}
	o := middleware.Options{TTL: time.Minute, LookupTimeout: 5 * time.Second} // a busy machine is not a broken cache
	if opts != nil {
		o = *opts
	}
	o.Logger = slog.New(slog.DiscardHandler)
	o.Engine = a.router
	var err error
	if a.cache, err = middleware.New(client, &o); err != nil {
		return nil, err
	}
	a.router.GET("/page", a.cache.Handler(), a.page)
	a.router.GET("/runs", func(c *gin.Context) { c.String(http.StatusOK, "%d", a.runs.Load()) })
	return a, nil
}

func (a *app) page(c *gin.Context) {
	a.runs.Add(1)
	if delay, err := time.ParseDuration(c.Query("delay")); err == nil {
		time.Sleep(delay)
	}
	if control := c.Query("control"); control != "" {
		c.Header("Cache-Control", control)
	}
	body := a.body(c)
	if size, err := strconv.Atoi(c.Query("size")); err == nil {
		body = strings.Repeat("0123456789abcdef", size/16)
	}
	c.String(http.StatusOK, "%s", body)
}
