package demo_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/integration"
)

// demo is the demonstration site and a browser of Go.
type demo struct {
	t       *testing.T
	base    string
	browser *http.Client
}

// runDemo runs the site on servers until the test ends.
func runDemo(t *testing.T, env []string, servers ...*integration.Server) *demo {
	t.Helper()
	return newVisitor(t, run(t, env, servers...).Base)
}

// newVisitor returns a browser with cookies of its own.
func newVisitor(t *testing.T, base string) *demo {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &demo{t, base, &http.Client{Jar: jar, Timeout: time.Minute}}
}

// page fetches a page, following redirects, and fails the test unless the
// answer has the status.
func (d *demo) page(status int, path string, form url.Values) (header http.Header, body string) {
	d.t.Helper()
	var response *http.Response
	var err error
	if form == nil {
		response, err = d.browser.Get(d.base + path)
	} else {
		response, err = d.browser.PostForm(d.base+path, form)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status {
		d.t.Fatalf("%s answered %d, %v, want %d:\n%s", path, response.StatusCode, err, status, text)
	}
	return response.Header, string(text)
}

// decode reads the JSON at path into v.
func (d *demo) decode(path string, v any) {
	d.t.Helper()
	_, body := d.page(http.StatusOK, path, nil)
	if err := json.Unmarshal([]byte(body), v); err != nil {
		d.t.Fatalf("%s answered %q: %v", path, body, err)
	}
}

// visitor is what the site knows of the browser.
type visitor struct {
	User string
	Cart int
	Away string
}

func (d *demo) wantVisitor(want visitor) {
	d.t.Helper()
	var got visitor
	if d.decode("/me.json", &got); got != want {
		d.t.Errorf("/me.json = %+v, want %+v", got, want)
	}
}

// wantAway fails the test unless the site cannot read the session of the browser
// and says so.
func (d *demo) wantAway() {
	d.t.Helper()
	var got visitor
	if d.decode("/me.json", &got); got.User != "" || got.Cart != 0 || got.Away == "" {
		d.t.Errorf("/me.json = %+v, want that memcached is away", got)
	}
}

// fromCache reports whether the page comes from the cache.
func (d *demo) fromCache(path string) bool {
	d.t.Helper()
	header, _ := d.page(http.StatusOK, path, nil)
	return strings.Contains(header.Get("Cache-Status"), "; hit")
}

func TestDemo_OnServersWithSASL(t *testing.T) {
	t.Parallel()
	servers := launch(t, 2)
	d := runDemo(t, nil, servers...)
	checkDemo(d)

	var status struct {
		Servers []struct {
			Addr, State string
			Items       int
		}
	}
	d.decode("/status.json", &status)
	if len(status.Servers) != 2 || status.Servers[0].State != "up" || status.Servers[1].State != "up" {
		t.Errorf("/status.json = %+v, want two servers that are up", status)
	}
	client, err := memcached.New([]string{servers[0].Addr(), servers[1].Addr()}, &memcached.Options{Auth: sasl.Auto(username, password)})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	stats, err := client.ServerStats(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, server := range servers { // pages, values and sessions really are there
		if stats[server.Addr()]["curr_items"] == "0" {
			t.Errorf("memcached at %s holds nothing of the site", server.Addr())
		}
	}

	for _, server := range servers {
		server.Kill()
	}
	_, body := d.page(http.StatusOK, demoArticle, nil)
	if !strings.Contains(body, "Eddystone") {
		t.Errorf("the page without memcached is not the page:\n%s", body)
	}
	d.wantAway()
	for _, server := range servers {
		server.Restart()
	}
	eventually(t, func() error {
		if !d.fromCache(demoArticle) {
			return errors.New("the page does not come from the cache again")
		}
		return nil
	})
}

func TestDemo_OverTLS(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, &integration.Options{Users: users, TLS: true})
	certificate := filepath.Join(t.TempDir(), "certificate.pem")
	if err := os.WriteFile(certificate, server.Certificate(), 0o600); err != nil {
		t.Fatal(err)
	}
	checkDemo(runDemo(t, []string{"MEMCACHED_TLS=" + certificate}, server))
}

// checkDemo uses the three things that the site keeps in memcached.
func checkDemo(d *demo) {
	d.t.Helper()
	for _, path := range []string{"/", demoArticle} {
		if d.fromCache(path) {
			d.t.Errorf("the first %s came from the cache", path)
		}
		if !d.fromCache(path) {
			d.t.Errorf("the second %s did not come from the cache", path)
		}
	}
	eventually(d.t, func() error { // it is stored in the background
		if _, body := d.page(http.StatusOK, "/tides", nil); !strings.Contains(body, `class="pill hit"`) {
			return errors.New("/tides is computed again and again")
		}
		return nil
	})
	d.wantVisitor(visitor{})
	d.page(http.StatusUnauthorized, "/login", url.Values{"user": {"ada"}, "password": {"wrong"}})
	d.page(http.StatusOK, "/login", url.Values{"user": {"ada"}, "password": {"lantern"}})
	d.wantVisitor(visitor{User: "ada"})
	d.page(http.StatusOK, "/cart", url.Values{"article": {strings.TrimPrefix(demoArticle, "/articles/")}})
	d.wantVisitor(visitor{User: "ada", Cart: 1})
	d.page(http.StatusOK, "/logout", url.Values{})
	d.wantVisitor(visitor{})
	d.page(http.StatusOK, "/login", url.Values{"user": {"ada"}, "password": {"lantern"}})
}
