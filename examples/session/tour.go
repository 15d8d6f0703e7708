package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
)

// tour walks through a site.
func tour(site http.Handler, out io.Writer) error {
	server := httptest.NewTLSServer(site)
	defer server.Close()
	open := func() *browser { return &browser{base: server.URL, transport: server.Client().Transport} }

	phone, laptop, thief := open(), open(), open()
	steps := []struct {
		what string
		do   func() (string, error)
	}{
		{"a visitor", func() (string, error) { return phone.get("/") }},
		{"after the login", func() (string, error) { return phone.post("/login", "user", "ada") }},
		{"the message comes once", func() (string, error) { return phone.get("/") }},
		{"a stolen cookie", func() (string, error) {
			thief.steal(phone)
			return thief.get("/")
		}},
		{"after the logout", func() (string, error) { return phone.post("/logout") }},
		{"the stolen cookie then", func() (string, error) { return thief.get("/") }},
		{"a login on the phone", func() (string, error) { return phone.post("/login", "user", "ada") }},
		{"and on the laptop", func() (string, error) { return laptop.post("/login", "user", "ada") }},
		{"after logging out everywhere", func() (string, error) { return phone.post("/logout-everywhere") }},
		{"the laptop then", func() (string, error) { return laptop.get("/") }},
	}
	for _, step := range steps {
		page, err := step.do()
		if err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
		if page == notFound {
			break // scs knows no users
		}
		fmt.Fprintf(out, "  %-29s %s\n", step.what+":", page)
	}
	return nil
}

// notFound is what a site answers that lacks a page.
const notFound = "404 page not found\n"

// browser keeps cookies.
type browser struct {
	base      string
	transport http.RoundTripper
	client    *http.Client
}

// open returns the client with its jar.
func (b *browser) open() *http.Client {
	if b.client == nil {
		jar, _ := cookiejar.New(nil) // never fails without options
		b.client = &http.Client{Transport: b.transport, Jar: jar}
	}
	return b.client
}

func (b *browser) get(path string) (string, error) { return read(b.open().Get(b.base + path)) }

func (b *browser) post(path string, form ...string) (string, error) {
	values := url.Values{}
	for i := 0; i+1 < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	return read(b.open().PostForm(b.base+path, values))
}

func read(res *http.Response, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

// steal copies the cookies of another browser.
func (b *browser) steal(from *browser) {
	u, _ := url.Parse(b.base) // the server's own
	b.open().Jar.SetCookies(u, secure(from.open().Jar.Cookies(u)))
}

// secure gives cookies back the attributes that a jar does not tell.
func secure(cookies []*http.Cookie) []*http.Cookie {
	for _, c := range cookies {
		c.Secure, c.Path = true, "/"
	}
	return cookies
}
