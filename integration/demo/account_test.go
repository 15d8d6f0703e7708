package demo_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/integration/browser"
	"github.com/chromedp/chromedp"
)

// The account lists the user's sessions, and ends one, in two real browsers of
// different makes: Chromium and Firefox.
func TestAccount_InTwoBrowsers(t *testing.T) {
	t.Parallel()
	base := run(t, nil).Base
	chromium, firefox := open(t, browser.Start(t), base), browser.StartFirefox(t, base)
	foxLogin := func() {
		t.Helper()
		firefox.Visit("/login")
		firefox.Fill(`input[name="user"]`, "ada")
		firefox.Fill(`input[name="password"]`, "lantern")
		firefox.Press("/login")
	}
	wantFox := func(what, want string) {
		t.Helper()
		if got := firefox.Text("h1"); got != want {
			t.Errorf("%s: Firefox says %q, want %q", what, got, want)
		}
	}
	wantSessions := func(where, text string, want ...string) {
		t.Helper()
		for _, browser := range []string{"Chrome on Linux", "Firefox on Linux", "this browser"} {
			if strings.Contains(text, browser) != slices.Contains(want, browser) {
				t.Errorf("%s lists %q, want %q", where, text, want)
			}
		}
	}
	inChromium := func() string { return evaluate[string](chromium, `document.querySelector("#sessions").innerText`) }

	chromium.login("ada", "lantern")
	wantSessions("Chromium, alone,", inChromium(), "Chrome on Linux", "this browser")
	foxLogin()
	wantFox("after the login", "Hello, ada")
	wantSessions("Firefox", firefox.Text("#sessions"), "Chrome on Linux", "Firefox on Linux", "this browser")

	firefox.Press("/logout/one")
	wantFox("after logging out Chromium", "Hello, ada")
	wantSessions("Firefox, alone,", firefox.Text("#sessions"), "Firefox on Linux", "this browser")
	chromium.Do("reloading", chromedp.Reload())
	chromium.want("logged out by Firefox", "Log in")

	chromium.login("ada", "lantern")
	chromium.want("after another login", "Hello, ada")
	wantSessions("Chromium", inChromium(), "Chrome on Linux", "Firefox on Linux", "this browser")
	chromium.Press("/logout/others")
	chromium.want("after logging out Firefox", "Hello, ada")
	wantSessions("Chromium, alone again,", inChromium(), "Chrome on Linux", "this browser")
	firefox.Visit("/login")
	wantFox("logged out by Chromium", "Log in")
}
