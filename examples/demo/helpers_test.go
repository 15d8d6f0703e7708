package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode)
	os.Exit(m.Run())
}

// start serves the site on servers inside the process, and returns its address.
func start(t *testing.T) (*site, string) {
	t.Helper()
	b, err := openBackend(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	s, err := newSite(b, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	server := httptest.NewServer(s.handler())
	t.Cleanup(server.Close)
	return s, server.URL
}

// A browser keeps cookies and does not follow redirects by itself.
type browser struct {
	t      *testing.T
	base   string
	client *http.Client
}

func newBrowser(t *testing.T, base string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, base, &http.Client{
		Jar:           jar,
		Timeout:       20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// An answer is a response with its body.
type answer struct {
	*http.Response
	body string
}

// cache returns what Cache-Status says, without the remaining time.
func (a answer) cache() string {
	status, _, _ := strings.Cut(a.Header.Get("Cache-Status"), "; ttl=")
	return status
}

func (b *browser) do(r *http.Request, err error) answer {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatalf("%s %s: reading the body: %v", r.Method, r.URL.Path, err)
	}
	return answer{response, string(body)}
}

func (b *browser) get(path string) answer {
	b.t.Helper()
	return b.do(http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.base+path, nil))
}

// post sends a form of names and values by turns.
func (b *browser) post(path string, fields ...string) answer {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.base+path, strings.NewReader(form.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return b.do(r, err)
}

// login logs in, and fails the test when that does not work.
func (b *browser) login(user string) {
	b.t.Helper()
	if got := b.post("/login", "user", user, "password", accounts[user]); got.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("logging in as %s answered %d:\n%s", user, got.StatusCode, got.body)
	}
}

// who is what the site knows of a browser.
type who struct {
	User string
	Cart int
	Away string
}

func (b *browser) me() who {
	b.t.Helper()
	return decode[who](b.t, b.get("/me.json"))
}

// cookie returns the session's cookie, or nothing.
func (b *browser) cookie() string {
	b.t.Helper()
	base, err := url.Parse(b.base)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, cookie := range b.client.Jar.Cookies(base) {
		if cookie.Name == cookieName {
			return cookie.Value
		}
	}
	return ""
}

func decode[T any](t *testing.T, a answer) (value T) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), &value); err != nil {
		t.Fatalf("%s answered %d %q: %v", a.Request.URL.Path, a.StatusCode, a.body, err)
	}
	return value
}

// expect fails the test unless the answer has the status and all of the texts.
func (b *browser) expect(a answer, status int, texts ...string) {
	b.t.Helper()
	if a.StatusCode != status {
		b.t.Errorf("%s %s answered %d, want %d:\n%s", a.Request.Method, a.Request.URL.Path, a.StatusCode, status, a.body)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			b.t.Errorf("%s %s answered without %q:\n%s", a.Request.Method, a.Request.URL.Path, text, a.body)
		}
	}
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not so: %s", what)
		}
	}
}
