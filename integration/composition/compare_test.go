package composition_test

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// exchange is one request and its answers.
type exchange struct {
	site      *site
	ask       ask
	got, want seen // with the cache, and without
	hit       bool // the cache answered with what it has
	coded     bool // what the cache sent is coded
	confirmed bool // what is stored, by the handler, or what the visitor has, by a 304
}

func newExchange(s *site, a ask, got, want seen) *exchange {
	x := &exchange{site: s, ask: a, got: got, want: want}
	for _, h := range []*http.Header{&x.got.header, &x.want.header} {
		*h = maps.Clone(*h)
		delete(*h, "Set-Cookie") // cookies are compared without what is random
	}
	x.hit = slices.ContainsFunc(got.header["Cache-Status"], func(line string) bool {
		return strings.Contains(line, "hit") || strings.Contains(line, "collapsed")
	})
	x.coded = got.header.Get("Content-Encoding") != ""
	x.confirmed = strings.Contains(got.header.Get("Cache-Status"), "fwd-status=304") || len(got.header[confirmedField]) > 0
	return x
}

// allowance is a difference that is none, and why.
type allowance struct {
	reason string
	apply  func(x *exchange) // takes the difference out of both answers
}

// allowances are all differences that a site may have with the cache.
var allowances = []allowance{
	{"fields by which the cache tells what it did, RFC 9111 and 9211", func(x *exchange) {
		delete(x.got.header, "Age")
		delete(x.got.header, "Cache-Status")
	}},
	{"Date is the time at which the response was made", func(x *exchange) {
		delete(x.got.header, "Date")
		delete(x.want.header, "Date")
	}},
	{"how the body is framed: net/http checks the length, and a body that is cut short is a fault", func(x *exchange) {
		for _, h := range []http.Header{x.got.header, x.want.header} {
			delete(h, "Content-Length")
		}
	}},
	{"the cache gives a page an ETag that has none, and layers above that do so leave that", func(x *exchange) {
		if tag := x.got.header.Get("Etag"); madeTag.MatchString(tag) && !strings.Contains(x.want.header.Get("Etag"), "v") {
			delete(x.got.header, "Etag")
			delete(x.want.header, "Etag")
		}
	}},
	{"gin-contrib/gzip decides by the calls of a handler that panics half way whether it codes what there is of the page; with the cache it gets the status later", func(x *exchange) {
		if x.page() == "a panic half way" {
			uncoded(x.got.header)
			uncoded(x.want.header)
		}
	}},
	{"tokens against CSRF are random, and so is a sum of them", func(x *exchange) {
		if x.page() == "a form with a token against CSRF" && strings.Contains(x.want.header.Get("Etag"), "sum-") {
			delete(x.got.header, "Etag")
			delete(x.want.header, "Etag")
		}
	}},
	{"a part that the cache cuts has the ETag of the page, which layers below give to the page only", func(x *exchange) {
		if x.hit && x.got.status == http.StatusPartialContent && len(x.want.header["Etag"]) == 0 {
			delete(x.got.header, "Etag")
		}
	}},
	{"a 304 means what the visitor has already, and either site may find that out", func(x *exchange) {
		if len(x.got.header[confirmedField])+len(x.want.header[confirmedField]) > 0 {
			withoutLate(x)
		}
		delete(x.got.header, confirmedField)
		delete(x.want.header, confirmedField)
	}},
	{"with gin a 304 goes out when all layers are done, so that they may add to it what comes too late for a page; RFC 9111, section 3.2, has that put into the stored page", func(x *exchange) {
		if x.site.framework == ginFramework && (x.hit || x.confirmed) && slices.ContainsFunc(x.site.below, func(l layer) bool { return l.late }) {
			withoutLate(x)
		}
	}},
	{"a hit does not repeat a write that net/http refuses, over which gin-contrib/timeout panics and by which gin-contrib/gzip decides, and echo guesses a type", func(x *exchange) {
		if x.hit && x.got.status == http.StatusNoContent {
			if x.want.fault != "" {
				x.got = x.want
			}
			uncoded(x.got.header)
			uncoded(x.want.header)
			if len(x.got.header["Content-Type"]) == 0 {
				delete(x.want.header, "Content-Type")
			}
			if len(x.want.header["Vary"]) == 0 { // gin-contrib/gzip has removed all
				delete(x.got.header, "Vary")
			}
		}
	}},
	{"without the cache the answer is broken: gin-contrib/gzip says gzip of plain text below or above gin-contrib/timeout, compresses parts of files, and breaks off what is flushed early", func(x *exchange) {
		plain := strings.HasSuffix(x.want.body, "which is not gzip") && strings.HasPrefix(x.want.body, strconv.Quote(x.got.body)) || strings.HasSuffix(x.want.body, ", and then not gzip") // after a flush
		part := x.got.status == http.StatusOK && isCodedPart(x.want.header.Get("Content-Range"), x.want.answer, x.got.body)
		raw := len(x.want.header["Content-Encoding"]) == 0 && strings.HasPrefix(x.want.body, "\x1f\x8b") && strings.HasSuffix(x.want.body, x.got.body) // after a flush, held back
		if plain || part || raw {
			x.got = x.want
		}
	}},
	{"a layer below that compresses pages but not parts of them gives the plain part, or one that it codes by itself; the cache cuts it of the coded page that it has, which is the representation that was chosen (RFC 9110, section 14.2)", func(x *exchange) {
		broken := strings.HasPrefix(x.want.raw, "\x1f\x8b") || // the part is coded by itself, or all parts are together: see oneBoundary
			len(x.want.header["Content-Encoding"]) > 0 && strings.HasPrefix(x.want.header.Get("Content-Type"), "multipart/byteranges")
		coded := len(x.got.header["Content-Encoding"]) > 0 && (len(x.want.header["Content-Encoding"]) == 0 || broken)
		if (x.hit || x.confirmed) && x.ask.part != "" && coded && x.want.status == http.StatusPartialContent && slices.ContainsFunc(x.site.below, func(l layer) bool { return l.compressor }) {
			x.got.answer = x.want.answer
		}
	}},
	{"a layer below that compresses, and says so only where it does, codes a part by itself; the cache cuts it of the plain page that it has", func(x *exchange) {
		part := x.want.answer
		part.status = http.StatusOK
		if (x.hit || x.confirmed) && !x.coded && len(part.header["Content-Encoding"]) > 0 && x.got.status == http.StatusPartialContent && x.want.status == x.got.status && decoded(part) == x.got.body {
			x.got.answer = x.want.answer
		}
	}},
	{"a page is stored without its informational responses and flushes, by which compression above decides", func(x *exchange) {
		if x.hit && (x.page() == "early hints" || x.page() == "flushed") {
			if x.got.status == http.StatusOK && slices.ContainsFunc(x.site.above, func(l layer) bool { return l.hides }) { // gin-contrib/timeout flushes before it has the header of those below
				maps.DeleteFunc(x.got.header, func(name string, _ []string) bool { return len(x.want.header[name]) == 0 })
			}
			uncoded(x.got.header)
			uncoded(x.want.header)
		}
	}},
	{"compression above holds a page back until it knows the length, for visitors who want it; what is stored says that from the beginning. What is added late counts only where a page is held back", func(x *exchange) {
		if (x.hit || x.confirmed) && slices.ContainsFunc(append(slices.Clone(x.site.around), x.site.above...), func(l layer) bool { return l.holds && l.compressor }) {
			withoutLate(x)
		}
	}},
	{"a layer above that compresses says with a 304 that it varies on Accept-Encoding, or not: as others send it, or never", func(x *exchange) {
		if x.confirmed && slices.ContainsFunc(append(slices.Clone(x.site.around), x.site.above...), func(l layer) bool { return l.compressor }) {
			for _, h := range []http.Header{x.got.header, x.want.header} {
				h["Vary"] = slices.DeleteFunc(elements(h["Vary"]), func(name string) bool { return name == "Accept-Encoding" })
			}
		}
	}},
	{"a layer below that compresses, and says so only where it does, has its plain pages sent to everybody", uncompressed},
	{"the cache cuts ranges from what it has, also where the handler does not", cutRange},
	{"a layer below with a header of its own puts its Vary in the place of that of above; on a hit they are joined, which is right", func(x *exchange) {
		if x.hit && slices.ContainsFunc(x.site.below, func(l layer) bool { return l.hides }) {
			got := elements(x.got.header["Vary"])
			if !slices.ContainsFunc(elements(x.want.header["Vary"]), func(name string) bool { return !slices.Contains(got, name) }) {
				delete(x.got.header, "Vary")
				delete(x.want.header, "Vary")
			}
		}
	}},
	{"lists may be on one line or on several, in any order", func(x *exchange) {
		for _, h := range []http.Header{x.got.header, x.want.header} {
			for _, name := range []string{"Vary", "Link", "Cache-Control"} {
				if lines := h[name]; len(lines) > 0 {
					h[name] = elements(lines)
				}
			}
		}
	}},
}

// page is the name of the page that was asked for.
func (x *exchange) page() string {
	if x.ask.page >= len(x.site.pages) {
		return ""
	}
	return x.site.pages[x.ask.page].name
}

// uncoded takes compression out of a header.
func uncoded(h http.Header) {
	if h == nil { // there is no answer
		return
	}
	delete(h, "Content-Encoding")
	h["Vary"] = slices.DeleteFunc(elements(h["Vary"]), func(name string) bool { return name == "Accept-Encoding" })
	if len(h["Vary"]) == 0 {
		delete(h, "Vary")
	}
}

// withoutLate takes out what a handler or a layer adds after the first byte.
func withoutLate(x *exchange) {
	for _, name := range []string{"X-After", "X-Late"} {
		delete(x.got.header, name)
		delete(x.want.header, name)
	}
}

// uncompressed takes compression out of the answer without the cache, if the one with
// it is stored from a visitor who wanted none, or whose page was too short.
func uncompressed(x *exchange) {
	saysNothing := func(l layer) bool { return l.sometimes }
	if !x.hit && !x.confirmed || len(x.got.header["Content-Encoding"]) > 0 || !slices.ContainsFunc(x.site.below, saysNothing) {
		return
	}
	withoutLate(x) // where the layer held the response back
	delete(x.want.header, "Content-Encoding")
	if strings.Contains(x.got.header.Get("Etag"), "sum-") { // a layer above it makes one of what is coded
		delete(x.got.header, "Etag")
		delete(x.want.header, "Etag")
	}
	for _, name := range []string{"Vary", "Content-Type"} { // which net/http does not guess of what is coded
		if name == "Content-Type" && x.got.status == http.StatusPartialContent {
			continue // it may say how the parts are told apart: cutRange
		}
		if len(x.got.header[name]) == 0 || len(x.want.header[name]) == 0 || name == "Vary" {
			delete(x.got.header, name)
			delete(x.want.header, name)
		}
	}
}

// madeTag is an ETag of the cache. Those of pages here begin with a v.
var madeTag = regexp.MustCompile(`^(W/)?"[A-Za-z0-9_-]{24}"$`)

// elements returns the elements of a list, sorted, each once.
func elements(lines []string) []string {
	var all []string
	for _, element := range strings.Split(strings.Join(lines, ","), ",") {
		if element = strings.TrimSpace(element); element != "" {
			all = append(all, element)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// difference returns how the answers differ, or "".
func (x *exchange) difference() string {
	status := x.got.header.Get("Cache-Status")
	for _, a := range allowances {
		a.apply(x)
	}
	var lines []string
	differ := func(what string, got, want any) {
		if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
			lines = append(lines, fmt.Sprintf("    %s: %.300q, without the cache %.300q", what, g, w))
		}
	}
	differ("fault", x.got.fault, x.want.fault)
	differ("status", x.got.status, x.want.status)
	names := slices.Sorted(maps.Keys(x.got.header))
	for name := range x.want.header {
		if _, ok := x.got.header[name]; !ok {
			names = append(names, name)
		}
	}
	for _, name := range names {
		differ(name, x.got.header[name], x.want.header[name])
	}
	differ("cookies", x.got.cookies, x.want.cookies)
	differ("trailer", x.got.trailer, x.want.trailer)
	if x.got.body != x.want.body {
		lines = append(lines, "    body: "+bodies(x.got.body, x.want.body))
	}
	if len(lines) == 0 {
		return ""
	}
	return fmt.Sprintf("Cache-Status: %s\n%s", status, strings.Join(lines, "\n"))
}

// bodies shows where two bodies differ.
func bodies(got, want string) string {
	i := 0
	for i < min(len(got), len(want)) && got[i] == want[i] {
		i++
	}
	from := max(0, i-40)
	return fmt.Sprintf("%.100q of %s, without the cache %.100q of %s", got[min(from, len(got)):], size(got), want[min(from, len(want)):], size(want))
}

func size(s string) string { return strconv.Itoa(len(s)) + " bytes" }
