package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
)

// appEnv makes this program an application under load when it is set: the
// application is a process of its own, so that its processor time is counted
// alone and it can have a processor to itself.
const appEnv = "BENCH_HTTP_APP"

// appOrder says which application is wanted.
type appOrder struct {
	Kind, Peer string // of builders
	Server     string // address of memcached or Redis
	Pages      int    // how many are asked for in turn; 0: one
}

// appPage is what an application announces once it answers.
type appPage struct {
	URL     string
	Cookies string // to be sent with each request
	Pages   int    // how many there are, told apart by ?n=1 and so on; 0: one, without
	Size    int    // of a response, in bytes, with its header
}

// appUsage is what an application has used so far.
type appUsage struct {
	CPU     time.Duration
	Mallocs uint64
	Bytes   uint64
	Made    int64  // how often the page was made, if there is to be a cache before it
	Error   string // why a page could not be had
	Wrong   bool   // it could, but was another
}

// What an application is asked: what it has used so far, or that after a look at
// each page.
const (
	askUsage = "usage"
	askCheck = "check"
)

// webApp is a gin application built on one contestant.
type webApp struct {
	engine *gin.Engine
	path   string
	body   string        // of every answer
	runs   *atomic.Int64 // how often the page was made; nil where each request makes it
	login  string        // path of the request that gives the session's cookie; empty: none
	pages  int           // as in appPage
	close  func() error
}

// newEngine returns gin without its log and its recovery, the same for all.
func newEngine() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	return gin.New()
}

// serveApp is the application's process: the page is announced on stdout, and each line on stdin, askUsage or askCheck, is
// answered. It ends with stdin.
func serveApp(text string, stdin io.Reader, stdout io.Writer) error {
	var order appOrder
	if err := json.Unmarshal([]byte(text), &order); err != nil {
		return fmt.Errorf("bench: order of an application: %w", err)
	}
	build, ok := builders[order.Kind][order.Peer]
	if !ok {
		return fmt.Errorf("bench: no application %q on %q", order.Kind, order.Peer)
	}
	app, err := build(order.Server)
	if err != nil {
		return err
	}
	app.pages = order.Pages
	return errors.Join(app.serve(stdin, stdout), app.close())
}

// serve answers on the loopback for as long as stdin lasts.
func (a *webApp) serve(stdin io.Reader, stdout io.Writer) (err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
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
	page, err := a.prepare(addr)
	if err != nil {
		return err
	}
	out := json.NewEncoder(stdout)
	if err := out.Encode(page); err != nil {
		return err
	}
	for lines := bufio.NewScanner(stdin); lines.Scan(); {
		var wrong error
		if lines.Text() == askCheck {
			wrong = a.recheck(addr, page.Cookies)
		}
		if err := out.Encode(a.usage(wrong)); err != nil {
			return err
		}
	}
	return nil
}

// prepare signs in where the application wants it and asks for each page twice,
// alone, so that it is in the cache once and for all.
func (a *webApp) prepare(addr string) (page appPage, err error) {
	page.URL, page.Pages = "http://"+addr+a.path, a.pages
	if a.login != "" {
		if page.Cookies, _, _, err = ask(addr, a.login, ""); err != nil {
			return page, err
		}
		if page.Cookies == "" {
			return page, errors.New("bench: signing in gave no cookie")
		}
	}
	for range 2 {
		if page.Size, err = a.check(addr, page.Cookies); err != nil {
			return page, err
		}
	}
	return page, nil
}

// check asks for each page and compares it with what it has to be. It returns
// the size of a response.
func (a *webApp) check(addr, cookies string) (size int, err error) {
	for n := range max(1, a.pages) {
		path := a.path
		if a.pages > 0 {
			path += "?n=" + strconv.Itoa(1+n)
		}
		var body string
		if _, body, size, err = ask(addr, path, cookies); err != nil {
			return 0, err
		}
		if body != a.body {
			return 0, fmt.Errorf("%w: %d bytes of %s, want %d", errWrongValue, len(body), path, len(a.body))
		}
	}
	return size, nil
}

// recheck looks at the pages once more, and collects the heap.
func (a *webApp) recheck(addr, cookies string) error {
	_, err := a.check(addr, cookies)
	runtime.GC()
	return err
}

// usage tells what the process has used, and how the last look at the pages
// went.
func (a *webApp) usage(checked error) appUsage {
	now := usageNow()
	u := appUsage{CPU: now.cpu, Mallocs: now.mallocs, Bytes: now.bytes}
	if checked != nil {
		u.Error, u.Wrong = checked.Error(), errors.Is(checked, errWrongValue)
	}
	if a.runs != nil {
		u.Made = a.runs.Load()
	}
	return u
}

// ask makes one request on a connection of its own.
func ask(addr, path, cookies string) (set, body string, size int, err error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return "", "", 0, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return "", "", 0, err
	}
	request := "GET " + path + " HTTP/1.1\r\nHost: " + addr + "\r\n"
	if cookies != "" {
		request += "Cookie: " + cookies + "\r\n"
	}
	if _, err := io.WriteString(conn, request+"\r\n"); err != nil {
		return "", "", 0, err
	}
	count := &countingReader{r: conn}
	response, err := http.ReadResponse(bufio.NewReader(count), nil)
	if err != nil {
		return "", "", 0, err
	}
	defer response.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(response.Body); err != nil {
		return "", "", 0, err
	}
	if response.StatusCode != http.StatusOK {
		return "", "", 0, fmt.Errorf("bench: %s answered %s", path, response.Status)
	}
	var pairs []string
	for _, cookie := range response.Cookies() {
		pairs = append(pairs, cookie.Name+"="+cookie.Value)
	}
	return strings.Join(pairs, "; "), text.String(), count.n, nil
}

// countingReader counts the bytes that come through it.
type countingReader struct {
	r io.Reader
	n int
}

func (c *countingReader) Read(p []byte) (n int, err error) {
	n, err = c.r.Read(p)
	c.n += n
	return n, err
}
