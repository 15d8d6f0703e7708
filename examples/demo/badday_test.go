package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// switchAll stops or restarts all servers.
func switchAll(b *browser, what string) {
	b.t.Helper()
	for i := range nodes {
		b.expect(b.post(fmt.Sprintf("/servers/%d/%s", i, what)), http.StatusSeeOther)
	}
}

func TestSite_GoesOnWithoutMemcached(t *testing.T) {
	_, base := start(t)
	b := newBrowser(t, base)
	b.login("ada")
	b.post("/cart", "article", articles[0].Slug)
	b.get(eddystone)
	b.expectCache(eddystone, hit)

	switchAll(b, "stop")
	for path, text := range map[string]string{
		"/":        "Stories of lighthouses",
		eddystone:  "The four towers",
		cordouan:   "A lens for Cordouan",
		"/tides":   ">computed<",
		"/cart":    "does not answer",
		"/login":   "does not answer",
		"/status":  ">stopped<",
		"/me.json": `"away":"all"`,
	} {
		b.expect(b.get(path), http.StatusOK, text)
	}
	for range 2 { // nothing keeps the table
		if got := b.get("/tides"); !strings.Contains(got.body, "could not be asked") || strings.Contains(got.body, "has the table") {
			t.Errorf("without memcached the tides say\n%s", got.body)
		}
	}
	for path, text := range map[string]string{
		"/cart":              "could not be changed",
		"/login":             "could not be logged in",
		"/logout":            "could not be logged out",
		"/logout/others":     "could not be logged out",
		"/purge/articles":    "could not be purged",
		"/purge/tides":       "could not be purged",
		eddystone + "/purge": "could not be purged",
	} {
		b.expect(b.post(path, "article", articles[0].Slug, "user", "ada", "password", "lantern"), http.StatusServiceUnavailable, text)
	}

	switchAll(b, "restart")
	eventually(t, "an article comes from the cache", func() bool { return b.get(eddystone).cache() == hit })
	eventually(t, "all servers are up", func() bool {
		return strings.Count(b.get("/status").body, `data-state="up"`) == nodes && b.me().Away == ""
	})
	if got := b.me(); got != (who{}) {
		t.Errorf("a session that no server remembers is %+v", got)
	}
	b.login("ada")
	b.expect(b.post("/cart", "article", articles[1].Slug), http.StatusSeeOther)
	if got, want := b.me(), (who{User: "ada", Cart: 1}); got != want {
		t.Errorf("after the restart the browser is %+v, want %+v", got, want)
	}
}

func TestSite_GoesOnWithoutOneServer(t *testing.T) {
	_, base := start(t)
	b := newBrowser(t, base)
	b.expect(b.post("/servers/1/stop"), http.StatusSeeOther)
	b.expect(b.get("/me.json"), http.StatusOK, `"away":"part"`)
	for _, a := range articles {
		b.expect(b.get("/articles/"+a.Slug), http.StatusOK, a.Title)
	}
	status := decode[statusPage](t, b.get("/status.json"))
	for i, want := range []string{"up", "stopped", "up"} {
		if got := status.Servers[i]; got.State != want || (want == "up") != (got.Version != "") {
			t.Errorf("server %d is %+v, want it %s", i, got, want)
		}
	}
}

func TestRestart_ShowsTheServerUp(t *testing.T) {
	_, base := start(t)
	b := newBrowser(t, base)
	for i := range nodes {
		b.expect(b.post(fmt.Sprintf("/servers/%d/stop", i)), http.StatusSeeOther)
	}
	b.expect(b.get("/status"), http.StatusOK, ">stopped<") // the client knows it now
	for i := range nodes {
		b.expect(b.post(fmt.Sprintf("/servers/%d/restart", i)), http.StatusSeeOther)
		if got := strings.Count(b.get("/status").body, `data-state="up"`); got != i+1 {
			t.Errorf("after %d servers were restarted %d are shown as up", i+1, got)
		}
	}
}
