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
The tests hold the numbers of the gin middleware and of the net/http handler to the same floor; measured, they are equal.
The numbers of other caches are computed in the same way from the results that the suite publishes with this version.
Of the 157 required tests 145 can be passed: seven ask for the opposite of what the newest version and RFC 9111 ask, four for what no cache can answer,
one for what RFC 9111 forbids. Each says so below, in the words of both versions.

`

// row is a line of a table.
type row struct {
	Name                      string
	Required, Optimal, Checks string
}

// rows are this middleware's, and those of other caches as far as the suite
// publishes results of them.
func (r report) rows() []row {
	line := func(name string, s score) row {
		of := func(kind string) string { return fmt.Sprintf("%d of %d", s.passed[kind], s.total[kind]) }
		return row{name, of(required), of(optimal), of(check)}
	}
	rows := []row{line("**this middleware**, StoreSetCookie", r.with), line("**this middleware**", r.without)}
	for _, o := range others {
		if published := r.suite.published(o.file); published != nil {
			rows = append(rows, line(o.name, grade(r.tests, published)))
		}
	}
	return rows
}

// table writes rows in Markdown.
func table(b *strings.Builder, rows []row) {
	b.WriteString("| cache | required | optimal | checks |\n| --- | --- | --- | --- |\n")
	for _, r := range rows {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", r.Name, r.Required, r.Optimal, r.Checks)
	}
}

// missed explains what was not passed, required and optimal.
func (r report) missed() []string {
	var lines []string
	for _, t := range r.without.failed {
		if t.Kind != check {
			lines = append(lines, fmt.Sprintf("| `%s` | %s | %s |", t.ID, t.Kind, explain(t.ID, r.without.why[t.ID])))
		}
	}
	return lines
}

const missedHeading = "\n| not passed | kind | why |\n| --- | --- | --- |\n"

// markdown is what RESULTS.md holds: the version on npm, and the newest as it was
// last measured.
func (r report) markdown(newest *saved) string {
	var b strings.Builder
	fmt.Fprintf(&b, heading, suiteVersion)
	table(&b, r.rows())
	b.WriteString(missedHeading + strings.Join(r.missed(), "\n") + "\n")
	if newest != nil {
		b.WriteString(newestHeading)
		table(&b, newest.Rows)
		b.WriteString(missedHeading + strings.Join(newest.Missed, "\n") + "\n")
	}
	return b.String()
}

const newestHeading = `
## The newest version

The repository of the suite is ahead of npm: it corrects tests and adds targeted cache control, interim responses and more.
Its tests are in testdata/cache-tests, and hold these numbers with gin and net/http. Measured with a checkout, which has
the results of other caches (` + "`go run ./conformance -newest -suite DIR`" + `); the results are in newest.json.

`

// saved is what newest.json holds.
type saved struct {
	Rows           []row
	Missed         []string
	StoreSetCookie results
	Default        results
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
		"0.4.5: “HTTP cache should consider a response with a … `Age` header to be stale”, and the response must come from the origin. Newest, for the same field: “HTTP cache should ignore an `Age` header with a … value”, and it must come from the cache, as RFC 9111, section 5.1 has it",
		[]string{"age-parse-nonnumeric", "age-parse-negative", "age-parse-float"},
	},
	{
		"0.4.5: “two `Age` header lines to be stale (`0`, old)”. Newest, for the same lines: “HTTP cache should use the first line”, and the response must come from the cache, as RFC 9111, section 5.1 has it",
		[]string{"age-parse-prefix-twoline"},
	},
	{
		"0.4.5: “HTTP cache should consider a response with” `Age: 0, 0` (in one line, in two) “to be stale”. Newest, for the same lines: “… to be fresh”, as RFC 9111, section 5.1 has it",
		[]string{"age-parse-dup-0", "age-parse-dup-0-twoline"},
	},
	{
		"0.4.5: `Age: 3600, 3600` with max-age=10000 “to be stale”. Newest: “two `Age: not_old` header lines to be fresh”, in two lines; and in one line, of `0, 7200` the first counts, as RFC 9111, section 5.1 asks for any list. Only a rule made for this test could pass both",
		[]string{"age-parse-dup-old"},
	},
	{
		"cannot be passed: the origin hangs up, and 0.4.5 wants status 200 and a Server-Request-Count of 2, which only that origin can add. None of the published caches passes it. Newest: any status, and a response “missing” that field; passed there",
		[]string{"stale-close-must-revalidate", "stale-close-proxy-revalidate", "stale-close-no-cache", "stale-close-s-maxage=2"},
	},
	{
		"0.4.5: “HTTP cache must **not** update and return `ETag` from a `304`”: it is to make the stored response fresh by a 304 with another strong ETag, and keep the old. RFC 9111, section 4.3.4 forbids to update by such a 304 at all. Newest: “Does HTTP cache update and return …?”, a check that expects the new ETag",
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
