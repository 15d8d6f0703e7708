package session_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
)

// live serves a site over a real connection, to a client with a cookie jar.
func live(t *testing.T, store ginsessions.Store, handler gin.HandlerFunc) (url string, client *http.Client) {
	t.Helper()
	site := httptest.NewServer(engine(store, session.Autosave(), handler))
	t.Cleanup(site.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return site.URL, &http.Client{Jar: jar}
}

func TestAutosave_KeepsFlush(t *testing.T) {
	_, store := newStore(t, nil)
	gate := make(chan struct{})
	url, client := live(t, store, func(c *gin.Context) {
		ginsessions.Default(c).Set("k", 1)
		_, _ = c.Writer.WriteString("first\n")
		c.Writer.Flush()
		<-gate
		_, _ = c.Writer.WriteString("second\n")
	})
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	lines := bufio.NewReader(res.Body)
	if line, err := lines.ReadString('\n'); err != nil || line != "first\n" { // before the handler goes on
		t.Errorf("first line = %q, %v", line, err)
	}
	if len(res.Cookies()) != 1 {
		t.Errorf("cookies = %v, want the session's", res.Cookies())
	}
	close(gate)
	if line, err := lines.ReadString('\n'); err != nil || line != "second\n" {
		t.Errorf("second line = %q, %v", line, err)
	}
}

func TestAutosave_KeepsHijack(t *testing.T) {
	_, store := newStore(t, nil)
	url, client := live(t, store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		if c.Query("upgrade") == "" {
			s.Set("k", 1)
			c.String(http.StatusOK, "%v", s.Get("upgraded"))
			return
		}
		s.Set("upgraded", true)
		conn, rw, err := http.NewResponseController(c.Writer).Hijack()
		if err != nil {
			t.Errorf("Hijack: %v", err)
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\nhello")
		_ = rw.Flush()
	})
	get := func(url string) string {
		res, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		body, _ := io.ReadAll(res.Body)
		return string(body)
	}
	get(url)
	if body := get(url + "/?upgrade=1"); body != "hello" {
		t.Errorf("body after the upgrade = %q, want hello", body)
	}
	if body := get(url); body != "true" {
		t.Errorf("upgraded = %q, want true: it was set before the connection was taken over", body)
	}
}

func TestAutosave_KeepsResponseController(t *testing.T) {
	_, store := newStore(t, nil)
	url, client := live(t, store, func(c *gin.Context) {
		rc := http.NewResponseController(c.Writer)
		if err := errors.Join(rc.SetWriteDeadline(time.Now().Add(time.Minute)), rc.SetReadDeadline(time.Now().Add(time.Minute)), rc.EnableFullDuplex()); err != nil {
			t.Errorf("ResponseController: %v", err)
		}
		if _, ok := c.Writer.(http.Hijacker); !ok {
			t.Error("the writer is no http.Hijacker")
		}
		c.Status(http.StatusOK)
	})
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
}
