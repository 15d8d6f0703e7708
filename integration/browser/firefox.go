package browser

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Firefox is a Firefox without a window, with a profile of its own, on a site. It is
// driven by Marionette, the protocol below WebDriver that is built into it
// (https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html). The test
// that started it owns it: its methods fail that test, and must be called from its
// goroutine.
type Firefox struct {
	tb   testing.TB
	base string
	conn net.Conn
	in   *bufio.Reader
	id   int
}

// firefoxSettings keep Firefox from asking anybody but the site: what is not for this
// machine goes to a proxy that there is not.
const firefoxSettings = `
user_pref("marionette.port", 0);
user_pref("network.proxy.type", 1);
user_pref("network.proxy.http", "127.0.0.1");
user_pref("network.proxy.http_port", 9);
user_pref("network.proxy.ssl", "127.0.0.1");
user_pref("network.proxy.ssl_port", 9);
user_pref("network.proxy.no_proxies_on", "127.0.0.1, localhost");
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "data:,#remote-settings-dummy/v1");
user_pref("app.normandy.enabled", false);
user_pref("app.update.disabledForTesting", true);
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("browser.safebrowsing.downloads.remote.enabled", false);
user_pref("browser.startup.page", 0);
user_pref("browser.newtabpage.enabled", false);
user_pref("dom.ipc.processPrelaunch.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("extensions.update.enabled", false);
user_pref("signon.rememberSignons", false);
user_pref("toolkit.telemetry.enabled", false);
`

// firefoxLimit bounds how long Firefox may take to start, and for each command. On a
// busy machine it was seen to need most of a minute.
const firefoxLimit = 3 * time.Minute

// StartFirefox starts Firefox, and ends it with the test. It fails the test when there
// is none, and skips it when MEMCACHED_INTEGRATION is "off".
func StartFirefox(tb testing.TB, base string) *Firefox {
	tb.Helper()
	if os.Getenv("MEMCACHED_INTEGRATION") == "off" {
		tb.Skip("MEMCACHED_INTEGRATION=off")
	}
	path, err := FirefoxPath()
	if err != nil {
		tb.Fatal(err)
	}
	profile, err := os.MkdirTemp("", "firefox")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(profile) }) // its processes may be writing still
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(firefoxSettings), 0o600); err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(path, "--headless", "--no-remote", "--marionette", "--profile", profile)
	cmd.Env = append(os.Environ(), "HOME="+profile, "MOZ_CRASHREPORTER_DISABLE=1")
	if err := cmd.Start(); err != nil {
		tb.Fatalf("starting firefox: %v", err)
	}
	over := make(chan struct{})
	go func() { // until the process ends, which the cleanup waits for
		_ = cmd.Wait()
		close(over)
	}()
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-over
	})
	f := &Firefox{tb: tb, base: base}
	f.connect(profile, over)
	f.do("WebDriver:NewSession", map[string]any{})
	return f
}

// FirefoxPath returns where Firefox is.
func FirefoxPath() (string, error) {
	for _, name := range []string{"firefox-esr", "firefox", "/Applications/Firefox.app/Contents/MacOS/firefox"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("this test needs Firefox: make setup installs it as root on Debian; MEMCACHED_INTEGRATION=off leaves real servers and browsers out")
}

// connect waits until Firefox has written down its port, and connects.
func (f *Firefox) connect(profile string, over <-chan struct{}) {
	f.tb.Helper()
	for deadline := time.Now().Add(firefoxLimit); ; time.Sleep(20 * time.Millisecond) {
		port, err := os.ReadFile(filepath.Join(profile, "MarionetteActivePort"))
		if err == nil {
			f.conn, err = net.Dial("tcp", net.JoinHostPort("127.0.0.1", strings.TrimSpace(string(port))))
		}
		if err == nil {
			break
		}
		select {
		case <-over:
			f.tb.Fatal("firefox ended at once")
		default:
		}
		if time.Now().After(deadline) {
			f.tb.Fatalf("firefox does not listen: %v", err)
		}
	}
	f.tb.Cleanup(func() { _ = f.conn.Close() })
	f.in = bufio.NewReader(f.conn)
	if _, err := f.receive(); err != nil { // its greeting
		f.tb.Fatalf("firefox: %v", err)
	}
}

// receive reads a message: its length, a colon, JSON.
func (f *Firefox) receive() ([]byte, error) {
	_ = f.conn.SetDeadline(time.Now().Add(firefoxLimit))
	length, err := f.in.ReadString(':')
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
	if err != nil || n < 0 || n > 16<<20 {
		return nil, fmt.Errorf("a message of length %q", length)
	}
	message := make([]byte, n)
	_, err = io.ReadFull(f.in, message)
	return message, err
}

// do runs a command and returns its result.
func (f *Firefox) do(command string, parameters map[string]any) map[string]any {
	f.tb.Helper()
	f.id++
	message, err := json.Marshal([]any{0, f.id, command, parameters})
	if err != nil {
		f.tb.Fatal(err)
	}
	_ = f.conn.SetDeadline(time.Now().Add(firefoxLimit))
	if _, err = fmt.Fprintf(f.conn, "%d:%s", len(message), message); err == nil {
		message, err = f.receive()
	}
	if err != nil {
		f.tb.Fatalf("firefox: %s: %v", command, err)
	}
	var failure *struct{ Error, Message string }
	var result map[string]any
	if err := json.Unmarshal(message, &[]any{new(int), new(int), &failure, &result}); err != nil {
		f.tb.Fatalf("firefox: %s: %v: %.200s", command, err, message)
	}
	if failure != nil {
		f.tb.Fatalf("firefox: %s %v: %s: %s", command, parameters, failure.Error, failure.Message)
	}
	return result
}

// Visit goes to the page at path.
func (f *Firefox) Visit(path string) {
	f.tb.Helper()
	f.do("WebDriver:Navigate", map[string]any{"url": f.base + path})
}

// Press presses the button of the form that goes to path, and waits for the next page.
func (f *Firefox) Press(path string) {
	f.tb.Helper()
	f.do("WebDriver:ElementClick", map[string]any{"id": f.find(`form[action="` + path + `"] button`)})
}

// Fill types text into a field, in the place of what is there.
func (f *Firefox) Fill(selector, text string) {
	f.tb.Helper()
	field := map[string]any{"id": f.find(selector)}
	f.do("WebDriver:ElementClear", field)
	field["text"] = text
	f.do("WebDriver:ElementSendKeys", field)
}

// Text returns the text of an element, as it is shown.
func (f *Firefox) Text(selector string) string {
	f.tb.Helper()
	text, ok := f.do("WebDriver:GetElementText", map[string]any{"id": f.find(selector)})["value"].(string)
	if !ok {
		f.tb.Fatalf("firefox: %s has no text", selector)
	}
	return text
}

// find returns the reference of an element.
func (f *Firefox) find(selector string) string {
	f.tb.Helper()
	element, _ := f.do("WebDriver:FindElement", map[string]any{"using": "css selector", "value": selector})["value"].(map[string]any)
	for _, id := range element { // by a name that the standard gives it
		if id, ok := id.(string); ok {
			return id
		}
	}
	f.tb.Fatalf("firefox: %s is %v, not an element", selector, element)
	return ""
}
