package main

import (
	"fmt"
	"slices"
	"strings"
)

// report is what one invocation found.
type report struct {
	suite         *suite
	tests         []test
	with, without score
}

func (s score) line() string {
	return fmt.Sprintf("required %d of %d, optimal %d of %d, checks %d of %d",
		s.passed[required], s.total[required], s.passed[optimal], s.total[optimal], s.passed[check], s.total[check])
}

func (r report) summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "with StoreSetCookie:    %s\n", r.with.line())
	fmt.Fprintf(&b, "without StoreSetCookie: %s\n", r.without.line())
	for _, t := range r.with.failed {
		if t.Kind != check {
			fmt.Fprintf(&b, "  %-8s %s: %s\n", t.Kind, t.ID, r.with.why[t.ID])
		}
	}
	return b.String()
}

// others are caches whose results the suite publishes.
var others = []struct{ file, name string }{
	{"trafficserver", "Apache Traffic Server"},
	{"apache", "Apache httpd"},
	{"squid", "Squid"},
	{"varnish", "Varnish"},
	{"nginx", "nginx"},
	{"caddy", "Caddy"},
	{"haproxy", "HAProxy"},
	{"nuster", "nuster"},
	{"fastly", "Fastly"},
}

const heading = `# HTTP cache conformance

Written by ` + "`go run ./conformance`" + ` in integration/ (` + "`make conformance`" + `).
The suite is [http-cache-tests](https://github.com/http-tests/cache-tests) %s, as it is on npm. The middleware stands in front of
a reverse proxy to the suite's origin, with no TTL of its own, StaleIfUnreachable, and a memcached.
A test counts as passed only if those that it depends on passed too. Checks ask how a cache behaves; no answer is wrong.
The numbers of other caches are computed in the same way from the results that the suite publishes with this version.

| cache | required | optimal | checks |
| --- | --- | --- | --- |
`

func (r report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, heading, suiteVersion)
	row := func(name string, s score) {
		fmt.Fprintf(&b, "| %s | %d of %d | %d of %d | %d of %d |\n", name,
			s.passed[required], s.total[required], s.passed[optimal], s.total[optimal], s.passed[check], s.total[check])
	}
	row("**this middleware**, StoreSetCookie", r.with)
	row("**this middleware**", r.without)
	for _, o := range others {
		if published := r.suite.published(o.file); published != nil {
			row(o.name, grade(r.tests, published))
		}
	}
	b.WriteString(newest)
	b.WriteString("\n## Tests that are not passed\n\n| test | kind | why |\n| --- | --- | --- |\n")
	for _, t := range r.without.failed {
		if t.Kind != check {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", t.ID, t.Kind, explain(t.ID, r.without.why[t.ID]))
		}
	}
	return b.String()
}

// explain says why a test is not passed.
func explain(id, what string) string {
	for _, e := range explanations {
		if slices.Contains(e.ids, id) {
			return e.why
		}
	}
	return "not explained: " + what
}

// explanations are by test, in the words of RFC 9111 where that has something to
// say.
var explanations = []struct {
	why string
	ids []string
}{
	{
		"asks for what RFC 9111 has changed since: an Age that is no number is ignored, and of several the first counts (section 5.1). The suite itself now asks for the opposite",
		[]string{
			"age-parse-nonnumeric", "age-parse-negative", "age-parse-float", "age-parse-prefix-twoline",
			"age-parse-dup-0", "age-parse-dup-0-twoline", "age-parse-dup-old",
		},
	},
	{
		"cannot be passed: the origin hangs up, and the test wants a field in the response that only the origin adds. None of the published caches passes it, and the suite has since corrected it",
		[]string{"stale-close-must-revalidate", "stale-close-proxy-revalidate", "stale-close-no-cache", "stale-close-s-maxage=2"},
	},
	{
		"Go's HTTP client, in the reverse proxy of this harness, refuses the Transfer-Encoding that the origin makes up",
		[]string{"headers-store-Transfer-Encoding"},
	},
	{
		"a 304 whose ETag is another one must not update what is stored (RFC 9111, section 4.3.4). The suite has since made this a check",
		[]string{"304-etag-update-response-ETag"},
	},
	{
		"by default a response with Set-Cookie is neither stored nor shared",
		[]string{"headers-store-Set-Cookie", "headers-store-Set-Cookie2", "304-etag-update-response-Set-Cookie", "304-etag-update-response-Set-Cookie2", "other-set-cookie"},
	},
	{
		"the answer to a POST is never stored, not even for a later GET",
		[]string{"method-POST"},
	},
	{
		"variants are found by a digest of what selects them; one with another Content-Language cannot be found by a client that would also take it",
		[]string{"vary-normalise-lang-select"},
	},
	{
		"the response has no Last-Modified and is newer than what the client asks about: by RFC 9111, section 4.3.2, its Date decides",
		[]string{"conditional-lm-fresh-no-lm"},
	},
	{
		"a part is never stored: parts are cut from whole responses",
		[]string{
			"partial-store-partial-reuse-partial", "partial-store-partial-reuse-partial-byterange", "partial-store-partial-reuse-partial-absent",
			"partial-store-partial-reuse-partial-suffix", "partial-store-partial-complete",
		},
	},
}

// newest is about the state of the suite that its own pages show.
const newest = `
## The newest version

The repository of the suite is ahead of npm: it has 160 required, 105 optimal and 100 checks for a proxy, corrects tests of 0.4.5 and adds
targeted cache control, interim responses and more. Run against a checkout (` + "`go run ./conformance -quiet -suite DIR`" + `):

| cache | required | optimal | checks |
| --- | --- | --- | --- |
| **this middleware**, StoreSetCookie | 159 of 160 | 97 of 105 | 72 of 100 |
| **this middleware** | 157 of 160 | 96 of 105 | 70 of 100 |
| Apache Traffic Server 9.2.5 | 132 | 70 | |
| Apache httpd 2.4.64 | 131 | 68 | |
| Squid 6.13 | 122 | 59 | |
| Caddy (souin) | 121 | 44 | |
| Varnish 7.7.3 | 119 | 45 | |
| nginx 1.28 | 99 | 59 | |

Of the required tests, headers-store-Transfer-Encoding fails, for the reason below; without StoreSetCookie also the two that want Set-Cookie stored.
`
