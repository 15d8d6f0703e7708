package composition_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// visitor is a browser: it keeps cookies and the pages that it has seen.
type visitor struct {
	name  string
	crowd *crowd

	mu      sync.Mutex
	cookies map[string]string
	pages   map[string]answer // by URL
	token   string            // against CSRF
}

// crowd is all visitors of one instance.
type crowd struct {
	site     *site
	server   *server
	visitors map[string]*visitor

	mu      sync.Mutex
	owners  map[string]string // of cookies and tokens
	secrets map[string]int    // how many a visitor has
}

func newCrowd(s *site, server *server) *crowd {
	c := &crowd{site: s, server: server, visitors: map[string]*visitor{}, owners: map[string]string{}, secrets: map[string]int{}}
	for _, name := range visitorNames {
		c.visitors[name] = &visitor{name: name, crowd: c, cookies: map[string]string{"user": name}, pages: map[string]answer{}}
	}
	return c
}

// owner returns the name of a secret, which is its visitor's who got it first.
func (c *crowd) owner(secret, visitor string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.owners[secret]; !known {
		c.secrets[visitor]++
		c.owners[secret] = fmt.Sprintf("secret %d of %s", c.secrets[visitor], visitor)
	}
	return c.owners[secret]
}

func (v *visitor) request(a ask) *http.Request {
	v.mu.Lock()
	defer v.mu.Unlock()
	var body io.Reader
	if a.change != "" {
		body = strings.NewReader("some text")
	}
	r, err := http.NewRequest(a.method, "http://site.example"+v.crowd.site.mount()+a.url(), body)
	if err != nil {
		panic(err)
	}
	h := r.Header
	h.Set("X-Request-Id", "of "+v.name)
	for _, f := range []struct {
		is          bool
		name, value string
	}{
		{a.change != "", "X-Change", a.change},
		{a.change != "", "Content-Type", "text/plain"},
		{a.change != "" && v.token != "", "X-Csrf-Token", v.token},
		{a.gzip, "Accept-Encoding", "gzip"},
		{a.codings, "Accept-Encoding", browserCodings},
		{a.german, "Accept-Language", "de"},
		{a.cross, "Origin", otherOrigin},
		{a.method == http.MethodOptions, "Access-Control-Request-Method", "POST"},
		{a.part != "", "Range", a.part},
		{a.reload, "Cache-Control", "no-cache"},
	} {
		if f.is {
			h.Set(f.name, f.value)
		}
	}
	if a.login {
		r.SetBasicAuth(v.name, "secret")
	}
	for _, name := range slices.Sorted(maps.Keys(v.cookies)) {
		r.AddCookie(&http.Cookie{Name: name, Value: v.cookies[name]})
	}
	if has, ok := v.pages[v.memory(a)]; ok && a.confirm {
		for field, condition := range map[string]string{"Etag": "If-None-Match", "Last-Modified": "If-Modified-Since"} {
			if value := has.header.Get(field); value != "" {
				h.Set(condition, value)
			}
		}
	}
	return r
}

// memory is what a browser files a page under. What it accepts may select it.
func (v *visitor) memory(a ask) string {
	return fmt.Sprint(a.url(), a.gzip, a.codings, a.german, a.cross, a.login)
}

// visit makes a request and returns what the visitor has then: where a 304 or no body
// came, with what he had before.
func (v *visitor) visit(a ask) seen {
	answer := v.crowd.server.send(v.request(a))
	v.mu.Lock()
	defer v.mu.Unlock()
	cookies := v.keepCookies(answer.header)
	oneBoundary(&answer)
	if answer.status == http.StatusNotModified && a.confirm {
		had := v.pages[v.memory(a)]
		header := had.header.Clone()
		maps.Copy(header, answer.header)
		answer.status, answer.header, answer.raw, answer.body = had.status, header, had.raw, had.body
		answer.header.Set(confirmedField, "1")
		if a.method == http.MethodHead {
			answer.raw, answer.body = "", ""
		}
	} else {
		answer.body = decoded(answer)
	}
	if a.method == http.MethodGet && answer.status == http.StatusOK && answer.fault == "" {
		v.pages[v.memory(a)] = answer
	}
	answer.body = tokens.ReplaceAllStringFunc(answer.body, func(token string) string {
		v.token = token
		return v.crowd.owner(unmasked(token), v.name)
	})
	return seen{answer: answer, cookies: cookies}
}

// confirmedField marks what a 304 confirmed.
const confirmedField = "X-Was-Confirmed"

// seen is what a visitor has of an answer.
type seen struct {
	answer
	cookies []string // that were set, without values that are random
}

// keepCookies does what Set-Cookie says, and notices cookies of others.
func (v *visitor) keepCookies(h http.Header) []string {
	var set []string
	for _, line := range h["Set-Cookie"] {
		cookie, err := http.ParseSetCookie(line)
		if err != nil {
			set = append(set, line)
			continue
		}
		value := cookie.Value
		switch {
		case cookie.MaxAge < 0 || value == "":
			delete(v.cookies, cookie.Name)
		default:
			v.cookies[cookie.Name] = value
			if cookie.Name != "mine" && cookie.Name != "consent" {
				value = "of " + v.name
				if owner := v.crowd.owner("cookie "+cookie.Value, v.name); !strings.HasSuffix(owner, value) {
					value = owner
				}
			}
		}
		set = append(set, fmt.Sprintf("%s=%s path %q, max-age %v, http-only %v", cookie.Name, value, cookie.Path, cookie.MaxAge > 0, cookie.HttpOnly))
	}
	slices.Sort(set)
	return set
}

// oneBoundary replaces the boundary between parts, which is random.
func oneBoundary(a *answer) {
	if _, params, _ := mime.ParseMediaType(a.header.Get("Content-Type")); params["boundary"] != "" {
		if a.header.Get("Content-Encoding") == "gzip" && strings.HasPrefix(a.raw, "\x1f\x8b") { // somebody has coded the parts
			whole := *a
			whole.status = http.StatusOK
			a.raw = decoded(whole)
		}
		a.raw = strings.ReplaceAll(a.raw, params["boundary"], "boundary")
		a.header.Set("Content-Type", strings.ReplaceAll(a.header.Get("Content-Type"), params["boundary"], "boundary"))
	}
}

// tokens finds tokens against CSRF: masks and what they mask.
var tokens = regexp.MustCompile(`[A-Za-z0-9+/_-]{86}==`)

// unmasked returns what stays the same of a token.
func unmasked(token string) string {
	b, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(b) != 64 {
		return token
	}
	for i := range 32 {
		b[i] ^= b[32+i]
	}
	return string(b[:32])
}

// decoded undoes the coding of a response, as far as that is possible: middleware may
// break it, with a cache and without.
func decoded(a answer) string {
	coding := a.header.Get("Content-Encoding")
	if a.raw == "" || a.status == http.StatusPartialContent {
		return a.raw
	}
	var reader io.Reader
	var err error
	switch coding {
	case "gzip":
		reader, err = gzip.NewReader(strings.NewReader(a.raw))
	case "zstd":
		reader, err = zstd.NewReader(strings.NewReader(a.raw), zstd.WithDecoderConcurrency(1))
	default:
		return a.raw
	}
	if err != nil {
		return fmt.Sprintf("%q, which is not %s", a.raw, coding)
	}
	var text bytes.Buffer
	if _, err := io.Copy(&text, reader); err != nil {
		return text.String() + ", and then not " + coding
	}
	return text.String()
}
