package integration_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// A browser keeps cookies and does not follow redirects by itself.
type browser struct {
	t      *testing.T
	base   string
	jar    *cookiejar.Jar
	client *http.Client
}

func newBrowser(t *testing.T, base string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{t, base, jar, &http.Client{
		Jar:           jar,
		Transport:     transport,
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// ask sends a request, with a form if there is one, and reads the answer.
func (b *browser) ask(method, path string, form url.Values) (*http.Response, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatalf("%s %s: reading the answer: %v", method, path, err)
	}
	return response, string(body)
}

// expect fails the test unless the answer has the status and the text.
func (b *browser) expect(method, path string, form url.Values, status int, text string) {
	b.t.Helper()
	response, body := b.ask(method, path, form)
	if response.StatusCode != status || !strings.Contains(body, text) {
		b.t.Errorf("%s %s answered %d, want %d with %q:\n%s", method, path, response.StatusCode, status, text, body)
	}
}

// expectCache fails the test unless Cache-Status has the text.
func (b *browser) expectCache(path, text string) {
	b.t.Helper()
	response, body := b.ask(http.MethodGet, path, nil)
	if got := response.Header.Get("Cache-Status"); response.StatusCode != http.StatusOK || !strings.Contains(got, text) {
		b.t.Errorf("GET %s answered %d with Cache-Status %q, want %q:\n%s", path, response.StatusCode, got, text, body)
	}
}

// eventually waits until a page has the text.
func (b *browser) eventually(path, text string) {
	b.t.Helper()
	waitFor(b.t, path+" has "+text, func() bool {
		_, body := b.ask(http.MethodGet, path, nil)
		return strings.Contains(body, text)
	})
}

// cookies returns the browser's cookies.
func (b *browser) cookies() string {
	b.t.Helper()
	base, err := url.Parse(b.base)
	if err != nil {
		b.t.Fatal(err)
	}
	var all []string
	for _, cookie := range b.jar.Cookies(base) {
		all = append(all, cookie.String())
	}
	return strings.Join(all, "; ")
}

// waitFor waits until a condition holds.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not so: %s", what)
		}
	}
}

// output is what a program prints, readable while it runs.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
