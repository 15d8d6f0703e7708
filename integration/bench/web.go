package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"

	"github.com/gin-gonic/gin"
)

// webConns is the number of connections that load an application.
const webConns = 64

// Names of the contestants of the web rows beside this module's packages.
const (
	webNone           = "none"
	ginContribCache   = "gin-contrib/cache"
	ginCache          = "gin-cache"
	ginContribSession = "gin-contrib/sessions"
)

// webApp is a gin application built on one contestant.
type webApp struct {
	engine *gin.Engine
	path   string
	body   string        // of every answer
	runs   *atomic.Int64 // how often the page was made; nil where each request makes it
	login  string        // path of the request that gives the session's cookie; empty: none
	close  func() error
}

// webRows are the rows of whole HTTP requests.
func webRows() []row {
	return []row{
		webRow("page64", "page of 2 KB out of the cache, 64 connections", pageApps,
			[]string{ours, ginContribCache, ginCache, webNone}, ginContribCache),
		webRow("session64", "request that loads a session and saves nothing, 64 connections", sessionApps,
			[]string{ours, ginContribSession, webNone}, ginContribSession),
		sealRow(),
	}
}

// webRow measures the applications of apps.
func webRow(name, title string, apps map[string]func(*env) (*webApp, error), who []string, baseline string) row {
	return row{
		Name: name, Group: groupHTTP, Title: title, Callers: webConns, Unit: "requests/s", Slices: loadSlices,
		Baseline: baseline, Peers: who,
		measure: func(e *env, peer string, t timing) (map[string]float64, error) {
			build, ok := apps[peer]
			if !ok {
				return nil, errUnsupported
			}
			app, err := build(e)
			if err != nil {
				return nil, err
			}
			m, err := app.measure(t)
			return m, errors.Join(err, app.close())
		},
	}
}

// newEngine returns gin without its log and its recovery, the same for all.
func newEngine() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	return gin.New()
}

// measure serves the application on the loopback and puts load on it.
func (a *webApp) measure(t timing) (m map[string]float64, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: a.engine}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		err = errors.Join(err, server.Close())
		if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
			err = errors.Join(err, serveErr)
		}
	}()
	addr := listener.Addr().String()
	cookies, err := a.prepare(addr)
	if err != nil {
		return nil, err
	}
	made := a.made()
	runtime.GC()
	m, err = applyLoad(loadOrder{
		Addr: addr, Request: request(addr, a.path, cookies), Body: a.body,
		Conns: webConns, Warmup: t.warmup, Duration: t.duration,
	})
	if again := a.made() - made; err == nil && again > 0 {
		err = fmt.Errorf("bench: the page was made %d times while it should have come from the cache", again)
	}
	return m, err
}

// made tells how often the page was made.
func (a *webApp) made() int64 {
	if a.runs == nil {
		return 0
	}
	return a.runs.Load()
}

// prepare signs in where the application wants it and asks for the page twice,
// alone, so that it is in the cache once and for all. It returns the cookies.
func (a *webApp) prepare(addr string) (cookies string, err error) {
	if a.login != "" {
		if cookies, _, err = ask(addr, a.login, ""); err != nil {
			return "", err
		}
		if cookies == "" {
			return "", errors.New("bench: signing in gave no cookie")
		}
	}
	for range 2 {
		_, body, err := ask(addr, a.path, cookies)
		if err != nil {
			return "", err
		}
		if body != a.body {
			return "", fmt.Errorf("%w: %d bytes of %s, want %d", errWrongValue, len(body), a.path, len(a.body))
		}
	}
	return cookies, nil
}

// request writes down a request as a browser would, in short.
func request(addr, path, cookies string) string {
	r := "GET " + path + " HTTP/1.1\r\nHost: " + addr + "\r\n"
	if cookies != "" {
		r += "Cookie: " + cookies + "\r\n"
	}
	return r + "\r\n"
}

// ask makes one request on a connection of its own.
func ask(addr, path, cookies string) (set, body string, err error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return "", "", err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request(addr, path, cookies)); err != nil {
		return "", "", err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "", "", err
	}
	defer response.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(response.Body); err != nil {
		return "", "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", "", fmt.Errorf("bench: %s answered %s", path, response.Status)
	}
	var pairs []string
	for _, cookie := range response.Cookies() {
		pairs = append(pairs, cookie.Name+"="+cookie.Value)
	}
	return strings.Join(pairs, "; "), text.String(), nil
}
