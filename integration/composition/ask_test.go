package composition_test

import (
	"fmt"
	"net/http"
	"strings"

	"pgregory.net/rapid"
)

// ask is a request of a visitor.
type ask struct {
	method   string
	page     int // one too many: a page that there is not
	query    string
	visitor  string
	gzip     bool
	codings  bool // all those of browsers
	german   bool
	cross    bool   // from another origin
	login    bool   // with Authorization
	confirm  bool   // with the validators of what the visitor has
	part     string // a range
	reload   bool
	change   string // what a POST does
	together bool   // with the next
}

// browserCodings is what every browser takes, in this order.
const browserCodings = "gzip, deflate, br, zstd"

var visitorNames = []string{"ada", "bob"}

// asks makes requests for one of n pages.
func asks(n int) *rapid.Generator[ask] {
	return rapid.Custom(func(t *rapid.T) ask {
		seldom := func(label string) bool { return rapid.IntRange(0, 5).Draw(t, label) == 5 }
		a := ask{
			method:  http.MethodGet,
			page:    rapid.IntRange(0, n-1).Draw(t, "page"),
			visitor: rapid.SampledFrom(visitorNames).Draw(t, "visitor"),
			gzip:    rapid.Bool().Draw(t, "gzip"),
		}
		switch rapid.IntRange(0, 9).Draw(t, "method") {
		case 7:
			a.method = http.MethodHead
		case 8:
			a.method = http.MethodPost
			a.change = rapid.SampledFrom([]string{"changes", "redirects", "is silent", "fails"}).Draw(t, "change")
		case 9:
			if seldom("preflight") {
				a.method = http.MethodOptions
			}
		}
		if seldom("query") {
			a.query = "q=1"
		}
		if seldom("missing") {
			a.page = n
		}
		a.codings = a.gzip && rapid.Bool().Draw(t, "codings")
		a.german = seldom("german")
		a.cross = seldom("cross")
		a.login = seldom("login")
		a.confirm = seldom("confirm")
		a.reload = seldom("reload")
		if seldom("part") {
			a.part = rapid.SampledFrom([]string{"bytes=0-3", "bytes=2-", "bytes=-2", "bytes=0-0,2-3", "bytes=90000-"}).Draw(t, "range")
		}
		a.together = a.method == http.MethodGet && seldom("together")
		return a
	})
}

func (a ask) url() string {
	url := fmt.Sprintf("/%d", a.page)
	if a.query != "" {
		url += "?" + a.query
	}
	return url
}

func (a ask) String() string {
	var with []string
	for _, w := range []struct {
		is   bool
		text string
	}{
		{a.gzip && !a.codings, "gzip"},
		{a.codings, browserCodings},
		{a.german, "in German"},
		{a.cross, "cross-origin"},
		{a.login, "Authorization"},
		{a.confirm, "the validators it has"},
		{a.part != "", a.part},
		{a.reload, "no-cache"},
		{a.together, "at the same time as the next"},
	} {
		if w.is {
			with = append(with, w.text)
		}
	}
	text := fmt.Sprintf("%s: %s %s", a.visitor, a.method, a.url())
	if a.change != "" {
		text += ", which " + a.change
	}
	if len(with) > 0 {
		text += " (" + strings.Join(with, ", ") + ")"
	}
	return text
}
