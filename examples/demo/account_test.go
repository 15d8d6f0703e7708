package main

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func TestCart_BelongsToItsBrowser(t *testing.T) {
	_, base := start(t)
	b, other := newBrowser(t, base), newBrowser(t, base)
	b.expect(b.get("/cart"), http.StatusOK, "It is empty")
	for range 2 {
		b.expect(b.post("/cart", "article", articles[0].Slug), http.StatusSeeOther)
	}
	b.expect(b.post("/cart", "article", articles[1].Slug), http.StatusSeeOther)
	b.expect(b.get("/cart"), http.StatusOK, articles[0].Title, articles[1].Title, "3 prints", "<strong>76 €</strong>")
	if got, want := b.me(), (who{Cart: 3}); got != want {
		t.Errorf("the browser is %+v, want %+v", got, want)
	}
	other.expect(other.get("/cart"), http.StatusOK, "It is empty")

	for range 3 {
		b.post("/cart", "article", articles[0].Slug, "do", "remove")
	}
	b.expect(b.get("/cart"), http.StatusOK, articles[1].Title, "1 print,")
	for range maxPrints + 2 {
		b.post("/cart", "article", articles[0].Slug)
	}
	if got, want := b.me().Cart, 1+maxPrints; got != want {
		t.Errorf("the cart has %d prints, want %d", got, want)
	}
}

func TestCart_IsNotInPagesOfOthers(t *testing.T) {
	_, base := start(t)
	b := newBrowser(t, base)
	b.login("ada")
	b.post("/cart", "article", articles[0].Slug)
	b.get(eddystone)
	if got := newBrowser(t, base).get(eddystone); got.Header.Get("Set-Cookie") != "" || strings.Contains(got.body, ">ada<") {
		t.Errorf("a page of the cache has %q and\n%s", got.Header.Get("Set-Cookie"), got.body)
	}
	for _, path := range []string{"/login", "/cart", "/me.json", "/status", "/status.json", "/tides"} {
		if got := b.get(path).Header.Get("Cache-Control"); !strings.Contains(got, "no-store") {
			t.Errorf("Cache-Control of %s = %q, want no-store", path, got)
		}
	}
}

func TestLogin_RenewsTheSessionAndKeepsTheCart(t *testing.T) {
	_, base := start(t)
	b := newBrowser(t, base)
	b.post("/cart", "article", articles[0].Slug)
	before := b.cookie()
	planted := newBrowser(t, base)
	plant(t, planted, before)

	b.login("ada")
	if got := b.cookie(); got == before || got == "" {
		t.Errorf("the cookie after the login is %q, before it was %q", got, before)
	}
	if got, want := b.me(), (who{User: "ada", Cart: 1}); got != want {
		t.Errorf("after the login the browser is %+v, want %+v", got, want)
	}
	b.expect(b.get("/login"), http.StatusOK, "Hello, ada")
	if got := planted.me(); got != (who{}) {
		t.Errorf("the cookie from before the login is worth %+v, want nothing", got)
	}
}

func TestLogin_WrongPassword(t *testing.T) {
	_, base := start(t)
	for user, password := range map[string]string{"ada": "wrong", "nobody": "lantern", "<b>": "", "": ""} {
		b := newBrowser(t, base)
		b.expect(b.post("/login", "user", user, "password", password), http.StatusUnauthorized, `type="password"`)
		if got := b.me(); got != (who{}) {
			t.Errorf("after a wrong password for %q the browser is %+v", user, got)
		}
	}
}

func TestLogout_EndsTheSessionOnTheServer(t *testing.T) {
	_, base := start(t)
	b := newBrowser(t, base)
	b.login("ada")
	kept := b.cookie()
	b.expect(b.post("/logout"), http.StatusSeeOther)
	if got := b.cookie(); got != "" {
		t.Errorf("after the logout the browser has the cookie %q", got)
	}
	b.expect(b.get("/login"), http.StatusOK, "Log in")
	thief := newBrowser(t, base)
	plant(t, thief, kept)
	if got := thief.me(); got != (who{}) {
		t.Errorf("the cookie from before the logout is worth %+v, want nothing", got)
	}
}

func TestLogoutOthers_EndsTheSessionsOfTheUserInOtherBrowsers(t *testing.T) {
	_, base := start(t)
	first, second, grace := newBrowser(t, base), newBrowser(t, base), newBrowser(t, base)
	first.login("ada")
	second.login("ada")
	grace.login("grace")
	second.post("/cart", "article", articles[2].Slug)
	second.expect(second.post("/logout/others"), http.StatusSeeOther)
	for _, test := range []struct {
		name string
		b    *browser
		want who
	}{
		{"the other browser", first, who{}},
		{"the own browser", second, who{User: "ada", Cart: 1}},
		{"another user's", grace, who{User: "grace"}},
	} {
		if got := test.b.me(); got != test.want {
			t.Errorf("%s is %+v, want %+v", test.name, got, test.want)
		}
	}
	stranger := newBrowser(t, base)
	stranger.expect(stranger.post("/logout/others"), http.StatusSeeOther)
}

func TestAccount_ListsTheSessionsOfTheUserAndEndsOne(t *testing.T) {
	_, base := start(t)
	first, second, grace := newBrowser(t, base), newBrowser(t, base), newBrowser(t, base)
	first.login("ada")
	second.login("ada")
	grace.login("grace")
	page := second.get("/login")
	second.expect(page, http.StatusOK, "this browser", "A browser", `action="/logout/one"`)
	handles := regexp.MustCompile(`name="handle" value="([^"]+)"`).FindAllStringSubmatch(page.body, -1)
	if len(handles) != 1 {
		t.Fatalf("the page ends %d sessions, want the other one", len(handles))
	}
	grace.expect(grace.post("/logout/one", "handle", handles[0][1]), http.StatusSeeOther) // is not hers
	if got, want := first.me(), (who{User: "ada"}); got != want {
		t.Errorf("after another user's request the browser is %+v, want %+v", got, want)
	}
	for range 2 {
		second.expect(second.post("/logout/one", "handle", handles[0][1]), http.StatusSeeOther)
		if got := first.me(); got != (who{}) {
			t.Errorf("the browser that was logged out is %+v, want nobody", got)
		}
	}
	if got, want := second.me(), (who{User: "ada"}); got != want {
		t.Errorf("the own browser is %+v, want %+v", got, want)
	}
	stranger := newBrowser(t, base)
	stranger.expect(stranger.post("/logout/one", "handle", handles[0][1]), http.StatusSeeOther)
}

func TestBrowserName(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                        "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0": "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15":         "Safari on Mac OS",
		"<script>": "A browser",
	} {
		if got := browserName(agent); got != want {
			t.Errorf("browserName(%q) = %q, want %q", agent, got, want)
		}
	}
}

// plant gives a browser a session's cookie.
func plant(t *testing.T, b *browser, value string) {
	t.Helper()
	base, err := url.Parse(b.base)
	if err != nil {
		t.Fatal(err)
	}
	b.client.Jar.SetCookies(base, []*http.Cookie{{Name: cookieName, Value: value, Path: "/"}})
}
