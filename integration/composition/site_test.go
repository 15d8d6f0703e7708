package composition_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// site is an application that somebody might have built, and what its visitors ask.
type site struct {
	framework string
	around    []layer // of net/http, the outermost first
	above     []layer // of the framework
	below     []layer // under the cache, of the framework
	pages     []page  // at /0, /1 and so on
	cache     setting
	asks      []ask
}

// A longer list makes sites in which nothing can be seen any more.
const (
	maxAround = 3
	maxAbove  = 3
	maxBelow  = 3
	maxPages  = 3
	maxAsks   = 10
)

const (
	netHTTP       = "net/http" // around the cache is all that is above
	ginFramework  = "gin"
	echoFramework = "echo"
)

// of reports whether a layer is of a framework.
func (l layer) of(framework string) bool {
	switch framework {
	case ginFramework:
		return l.gin != nil
	case echoFramework:
		return l.echo != nil
	default:
		return l.http != nil
	}
}

var sites = rapid.Custom(func(t *rapid.T) site {
	s := site{framework: rapid.SampledFrom([]string{netHTTP, ginFramework, echoFramework}).Draw(t, "framework")}
	s.around = layers(t, "around", 0, maxAround, func(l layer) bool { return l.http != nil })
	if s.framework != netHTTP {
		s.above = layers(t, "above", 0, maxAbove, func(l layer) bool { return l.of(s.framework) })
	}
	s.below = layers(t, "below", 0, maxBelow, func(l layer) bool {
		return l.notBelow == "" && l.of(s.framework)
	})
	s.compressOnce()
	// As the package documentation advises: what such a layer gives back replaces the
	// Vary of those between it and the cache.
	slices.SortStableFunc(s.below, func(a, b layer) int { return cmp.Compare(rank(a), rank(b)) })
	s.pages = rapid.SliceOfN(rapid.SampledFrom(pages), 1, maxPages).Draw(t, "pages")
	s.cache = rapid.SampledFrom(settings).Draw(t, "cache")
	s.asks = rapid.SliceOfN(asks(len(s.pages)), 1, maxAsks).Draw(t, "asks")
	s.pages = slices.DeleteFunc(s.pages, func(p page) bool { return s.rules(p) != "" })
	if len(s.pages) == 0 {
		s.pages = pages[:1]
	}
	return s
})

// rank orders layers below the cache: 0 is directly below it.
func rank(l layer) int {
	if l.hides {
		return 0
	}
	return 1
}

func layers(t *rapid.T, label string, least, most int, fits func(layer) bool) []layer {
	var fitting []layer
	for _, l := range allLayers {
		if fits(l) {
			fitting = append(fitting, l)
		}
	}
	return rapid.SliceOfNDistinct(rapid.SampledFrom(fitting), least, most, func(l layer) string { return l.name }).Draw(t, label)
}

// compressOnce leaves the first layer that compresses.
func (s *site) compressOnce() {
	seen := false
	for _, list := range []*[]layer{&s.around, &s.above, &s.below} {
		*list = slices.DeleteFunc(*list, func(l layer) bool {
			again := l.compressor && seen
			seen = seen || l.compressor
			return again
		})
	}
}

// rules returns which rule of the package documentation of middleware a page breaks in
// this site, or "". What breaks one is not generated.
func (s *site) rules(p page) string {
	switch {
	case p.shared && (s.belowHas("gin.BasicAuth") || s.belowHas("echo BasicAuth")):
		return "Cache-Control: public, s-maxage and must-revalidate say that a response to a request with Authorization is for all"
	case p.name == "coded by itself" && slices.ContainsFunc(s.above, func(l layer) bool { return l.compressor }):
		return "gin-contrib/gzip codes the second write again"
	case p.looks && s.cache.opts.PersonalCookies == nil && s.has(func(l layer) bool { return l.looks }):
		return "a handler whose response depends on a cookie must say so, or PersonalCookies must name it"
	case p.session && s.cookieOutOfSight():
		return "middleware that holds the whole response back, and sets a cookie afterwards or hides one that was set before: such pages must be marked private"
	}
	return ""
}

// has reports whether a layer is such.
func (s *site) has(such func(layer) bool) bool {
	return slices.ContainsFunc(slices.Concat(s.around, s.above, s.below), such)
}

func (s *site) belowHas(name string) bool {
	return slices.ContainsFunc(s.below, func(l layer) bool { return l.name == name })
}

// cookieOutOfSight reports whether a layer above sets a cookie that the cache cannot see:
// at the first byte, which a layer between holds back until the handlers have returned,
// or before a layer that has a header of its own for those below.
func (s *site) cookieOutOfSight() bool {
	late, early := false, false
	for _, l := range append(slices.Clone(s.around), s.above...) {
		if late && l.holds || early && l.hides {
			return true
		}
		late, early = late || l.lateCookie, early || l.earlyCookie
	}
	return false
}

// String describes the site in the order in which a request goes through it.
func (s site) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "a site with %s:\n", s.framework)
	for _, l := range append(slices.Clone(s.around), s.above...) {
		fmt.Fprintf(&b, "    %s\n", l.name)
	}
	fmt.Fprintf(&b, "  the cache (%s)\n", s.cache.name)
	for _, l := range s.below {
		fmt.Fprintf(&b, "    %s\n", l.name)
	}
	for i, p := range s.pages {
		fmt.Fprintf(&b, "  /%d %s\n", i, p.name)
	}
	b.WriteString("requests:\n")
	for i, a := range s.asks {
		fmt.Fprintf(&b, "  %d. %s\n", i+1, a)
	}
	return b.String()
}

// GoString is what rapid prints.
func (s site) GoString() string { return s.String() }
