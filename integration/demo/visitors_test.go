package demo_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/integration"
)

// cookies returns the browser's cookies.
func (d *demo) cookies() string {
	d.t.Helper()
	base, err := url.Parse(d.base)
	if err != nil {
		d.t.Fatal(err)
	}
	var all []string
	for _, cookie := range d.browser.Jar.Cookies(base) {
		all = append(all, cookie.String())
	}
	return strings.Join(all, "; ")
}

var demoLogin = url.Values{"user": {"ada"}, "password": {"lantern"}}

func TestDemo_TwoBrowsersOnThreeNodes(t *testing.T) {
	t.Parallel()
	first := runDemo(t, nil, launch(t, 3)...)
	second := newVisitor(t, first.base)

	first.page(http.StatusOK, "/cart", url.Values{"article": {"building-on-bell-rock"}})
	before := first.cookies()
	for _, d := range []*demo{first, second} {
		d.page(http.StatusOK, "/login", demoLogin)
	}
	if after := first.cookies(); after == before || after == "" {
		t.Errorf("the cookie after the login is %q, before it was %q", after, before)
	}
	first.wantVisitor(visitor{User: "ada", Cart: 1})
	second.page(http.StatusOK, "/logout/others", url.Values{})
	first.wantVisitor(visitor{})
	second.wantVisitor(visitor{User: "ada"})

	for _, path := range []string{"/", demoArticle} {
		first.page(http.StatusOK, path, nil)
		if !second.fromCache(path) {
			t.Errorf("%s, which another browser has read, does not come from the cache", path)
		}
	}
	first.page(http.StatusOK, demoArticle+"/purge", url.Values{}) // goes back to the article
	first.page(http.StatusOK, "/purge/articles", url.Values{})
	for _, path := range []string{"/", demoArticle} {
		if second.fromCache(path) {
			t.Errorf("%s comes from the cache after it was purged", path)
		}
	}
	second.page(http.StatusOK, "/tides", nil)
	// gocache stores what it has loaded in the background, so that a table may
	// be stored just after the first purge.
	eventually(t, func() error {
		if _, body := first.page(http.StatusOK, "/purge/tides", url.Values{}); !strings.Contains(body, ">computed<") {
			return errors.New("/tides is not computed after a purge")
		}
		return nil
	})
}

func TestDemo_MemcachedHangs(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, &integration.Options{Users: users})
	d := runDemo(t, nil, server)
	d.page(http.StatusOK, "/login", demoLogin)
	d.page(http.StatusOK, demoArticle, nil)

	server.Pause()
	for _, path := range []string{"/", demoArticle, "/tides", "/cart", "/status"} {
		d.page(http.StatusOK, path, nil)
	}
	d.wantVisitor(visitor{Away: "all"})
	d.page(http.StatusServiceUnavailable, "/login", demoLogin)
	d.page(http.StatusServiceUnavailable, "/purge/articles", url.Values{})

	server.Resume()
	var got visitor
	eventually(t, func() error {
		if d.decode("/me.json", &got); got != (visitor{User: "ada"}) {
			return errors.New("the session has not come back")
		}
		return nil
	})
}
