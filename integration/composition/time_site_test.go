package composition_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/bmemcached/bmemcached-go/middleware"
)

// timedSite is a site of one page, and what happens to it.
type timedSite struct {
	gin    bool
	engine bool // revalidates in the background
	tags   bool // the page has an ETag, and confirms it
	opts   middleware.Options
	policy policy
	steps  []step
}

// policy is what the page says of its lifetime.
type policy struct {
	name     string
	control  string        // Cache-Control
	expires  time.Duration // if not 0
	lifetime time.Duration // -1: as Options.TTL says
	stale    time.Duration // stale-while-revalidate; -1: as the options say
	ifError  time.Duration // likewise
	noStale  bool          // whatever anybody else says
}

var policies = []policy{
	{"nothing", "", 0, -1, -1, -1, false},
	{"max-age", "max-age=10", 0, 10 * time.Second, -1, -1, false},
	{"s-maxage", "max-age=100, s-maxage=10", 0, 10 * time.Second, 0, 0, true},
	{"Expires", "", 10 * time.Second, 10 * time.Second, -1, -1, false},
	{"stale-while-revalidate", "max-age=10, stale-while-revalidate=5", 0, 10 * time.Second, 5 * time.Second, -1, false},
	{"stale-if-error", "max-age=10, stale-if-error=30", 0, 10 * time.Second, -1, 30 * time.Second, false},
	{"must-revalidate", "max-age=10, must-revalidate", 0, 10 * time.Second, 0, 0, true},
	{"no-cache", "max-age=10, no-cache", 0, 0, 0, 0, true},
	{"no-store", "no-store", 0, 0, 0, 0, true},
	{"stale at once", "max-age=0", 0, 0, -1, -1, false},
}

// lines are the fields of a response that was begun at a time.
func (p policy) lines(begun time.Time) (lines []string) {
	if p.control != "" {
		lines = append(lines, "Cache-Control: "+p.control)
	}
	if p.expires != 0 {
		lines = append(lines, "Date: "+begun.UTC().Format(http.TimeFormat), "Expires: "+begun.Add(p.expires).UTC().Format(http.TimeFormat))
	}
	return lines
}

// allows returns how old a page may be.
func (s *timedSite) allows(ask step, failing bool) time.Duration {
	or := func(stated, option time.Duration) time.Duration {
		if stated < 0 {
			return option
		}
		return stated
	}
	allowed := or(s.policy.lifetime, s.opts.TTL)
	if s.policy.noStale {
		return min(allowed, ask.maxAge)
	}
	stale := or(s.policy.stale, s.opts.StaleWhileRevalidate)
	if failing {
		stale = max(stale, or(s.policy.ifError, s.opts.StaleIfError))
	}
	if !ask.fresh { // the site's leave to answer at once holds for max-stale, too
		allowed += max(stale, ask.maxStale)
	} else if failing {
		allowed += or(s.policy.ifError, s.opts.StaleIfError)
	}
	if !failing {
		allowed = min(allowed, ask.maxAge)
	}
	return allowed
}

// step is something that happens.
type step struct {
	what         string
	wait         time.Duration
	control      string
	maxAge       time.Duration // that the visitor accepts
	maxStale     time.Duration
	onlyIfCached bool
	fresh        bool // that nothing stale will do, unless the handler fails
}

const forever = 1000 * time.Hour

var timedSites = rapid.Custom(func(t *rapid.T) timedSite {
	seconds := func(label string, choices ...int) time.Duration {
		return time.Duration(rapid.SampledFrom(choices).Draw(t, label)) * time.Second
	}
	s := timedSite{
		gin: rapid.Bool().Draw(t, "gin"), engine: rapid.Bool().Draw(t, "engine"), tags: rapid.Bool().Draw(t, "tags"),
		policy: rapid.SampledFrom(policies).Draw(t, "policy"),
		steps:  rapid.SliceOfN(steps, 1, 30).Draw(t, "steps"),
	}
	s.opts = middleware.Options{TTL: seconds("TTL", 0, 10, 60), StaleWhileRevalidate: seconds("stale", 0, 5, 20), StaleIfError: seconds("error", 0, 15)}
	return s
})

var steps = rapid.Custom(func(t *rapid.T) step {
	asks := []step{
		{},
		{control: "no-cache", maxAge: 0, fresh: true},
		{control: "max-age=3", maxAge: 3 * time.Second, fresh: true},
		{control: "max-age=100", maxAge: 100 * time.Second, fresh: true},
		{control: "max-age=100, max-stale=4", maxAge: 100 * time.Second, maxStale: 4 * time.Second},
		{control: "max-stale=4", maxAge: forever, maxStale: 4 * time.Second},
		{control: "min-fresh=4", maxAge: forever, fresh: true},
		{control: "only-if-cached", maxAge: forever, onlyIfCached: true},
	}
	switch what := rapid.SampledFrom([]string{"get", "get", "get", "wait", "wait", "ask", "change", "post", "fail", "slow"}).Draw(t, "what"); what {
	case "wait":
		return step{what: what, wait: rapid.SampledFrom([]time.Duration{1, 4, 5, 9, 10, 11, 15, 20, 31, 60, 61}).Draw(t, "seconds") * time.Second}
	case "get":
		return step{what: what, maxAge: forever}
	case "ask":
		s := rapid.SampledFrom(asks[1:]).Draw(t, "ask")
		s.what = "get"
		return s
	default:
		return step{what: what}
	}
})

func (s step) String() string {
	return strings.TrimSpace(fmt.Sprint(s.what, " ", s.control, " ", s.wait))
}

// String describes the site.
func (s timedSite) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "gin %v, engine %v, ETag %v, %s, TTL %v, stale %v, error %v:\n", s.gin, s.engine, s.tags, s.policy.name,
		s.opts.TTL, s.opts.StaleWhileRevalidate, s.opts.StaleIfError)
	for i, step := range s.steps {
		fmt.Fprintf(&b, "  %d. %s\n", i+1, step)
	}
	return b.String()
}

// GoString is what rapid prints.
func (s timedSite) GoString() string { return s.String() }
