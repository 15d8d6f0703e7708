package policy

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
)

func TestParseCacheControl(t *testing.T) {
	tests := map[string]struct {
		lines []string
		want  func(*Directives)
	}{
		"nothing":                  {nil, func(*Directives) {}},
		"flags":                    {[]string{"no-store, public,must-revalidate ,proxy-revalidate"}, func(d *Directives) { d.NoStore, d.Public, d.MustRevalidate, d.ProxyRevalidate = true, true, true, true }},
		"upper case":               {[]string{"No-StOrE, MAX-AGE=3"}, func(d *Directives) { d.NoStore, d.MaxAge = true, 3 }},
		"two lines":                {[]string{"max-age=3", "private"}, func(d *Directives) { d.MaxAge, d.Private = 3, true }},
		"quoted":                   {[]string{`max-age="3600"`}, func(d *Directives) { d.MaxAge = 3600 }},
		"leading zeros":            {[]string{"max-age=003600"}, func(d *Directives) { d.MaxAge = 3600 }},
		"huge":                     {[]string{"max-age=99999999999999999999999"}, func(d *Directives) { d.MaxAge = 1 << 31 }},
		"2^64 and one more":        {[]string{"max-age=18446744073709551617, s-maxage=18446744073709551615"}, func(d *Directives) { d.MaxAge, d.SMaxAge = 1<<31, 1<<31 }},
		"negative is stale":        {[]string{"max-age=-3600"}, func(d *Directives) { d.MaxAge = 0 }},
		"decimal is stale":         {[]string{"max-age=3600.5"}, func(d *Directives) { d.MaxAge = 0 }},
		"single quotes are stale":  {[]string{"max-age='3600'"}, func(d *Directives) { d.MaxAge = 0 }},
		"letters are stale":        {[]string{"max-age=3600a"}, func(d *Directives) { d.MaxAge = 0 }},
		"no argument is stale":     {[]string{"max-age"}, func(d *Directives) { d.MaxAge = 0 }},
		"space after equals":       {[]string{"max-age= 3600"}, func(d *Directives) { d.MaxAge = 0 }},
		"space before equals":      {[]string{"max-age =3600"}, func(*Directives) {}},
		"first of two":             {[]string{"max-age=1, max-age=1800"}, func(d *Directives) { d.MaxAge = 1 }},
		"inside a quoted string":   {[]string{`extension="max-age=3600", max-age=1`}, func(d *Directives) { d.MaxAge = 1 }},
		"quoted comma and escape":  {[]string{`x="a\",no-store", s-maxage=1`}, func(d *Directives) { d.SMaxAge = 1 }},
		"unterminated quotes":      {[]string{`x="no-store`}, func(*Directives) {}},
		"qualified no-cache":       {[]string{`no-cache="a, B-c"`}, func(d *Directives) { d.Omit = []string{"A", "B-C"} }},
		"qualified private":        {[]string{`private="set-cookie"`}, func(d *Directives) { d.Omit = []string{"Set-Cookie"} }},
		"empty qualification":      {[]string{`no-cache="", private=`}, func(d *Directives) { d.NoCache, d.Private = true, true }},
		"qualified by no name":     {[]string{`private="", no-cache="a b"`}, func(d *Directives) { d.Private, d.NoCache = true, true }},
		"qualified by half a name": {[]string{`private="Set-Cookie`}, func(d *Directives) { d.Private = true }},
		"after a quote left open":  {[]string{`max-age=9, x="a, private`}, func(d *Directives) { d.MaxAge, d.Private = 9, true }},
		"semicolons":               {[]string{"private; max-age=9"}, func(d *Directives) { d.Private = true }},
		"semicolons the other way": {[]string{"max-age=9; private", `x=1;no-store`}, func(d *Directives) { d.MaxAge, d.Private, d.NoStore = 0, true, true }},
		"all with semicolons":      {[]string{"NO-CACHE ; must-revalidate;proxy-revalidate"}, func(d *Directives) { d.NoCache, d.MustRevalidate, d.ProxyRevalidate = true, true, true }},
		"a space before equals":    {[]string{`private ="x"`}, func(d *Directives) { d.Private = true }},
		"semicolons in a string":   {[]string{`x="a; private", y=";no-store;"`}, func(*Directives) {}},
		"request directives":       {[]string{"min-fresh=5, max-stale, only-if-cached"}, func(d *Directives) { d.MinFresh, d.MaxStale, d.OnlyIfCached = 5, 1<<31, true }},
		"max-stale with argument":  {[]string{"max-stale=7"}, func(d *Directives) { d.MaxStale = 7 }},
		"stale directives":         {[]string{"stale-while-revalidate=1, stale-if-error=2"}, func(d *Directives) { d.StaleWhileRevalidate, d.StaleIfError = 1, 2 }},
		"must-understand":          {[]string{"must-understand, no-transform"}, func(d *Directives) { d.MustUnderstand, d.NoTransform = true, true }},
		"unknown and empty":        {[]string{",, nothing-to-see-here ,"}, func(*Directives) {}},
		"names that begin the way": {[]string{"no-storex, xno-store, max-ages=3"}, func(*Directives) {}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			want := noDirectives()
			test.want(&want)
			if got := ParseCacheControl(test.lines); !reflect.DeepEqual(got, want) {
				t.Errorf("ParseCacheControl(%q) = %+v, want %+v", test.lines, got, want)
			}
		})
	}
}

func TestParseRequest_PragmaCountsOnlyAlone(t *testing.T) {
	tests := map[string]struct {
		header http.Header
		want   bool
	}{
		"alone":              {http.Header{"Pragma": {"foo, no-cache"}}, true},
		"with Cache-Control": {http.Header{"Pragma": {"no-cache"}, "Cache-Control": {"max-age=5"}}, false},
		"another":            {http.Header{"Pragma": {"foo"}}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := ParseRequest(test.header).NoCache; got != test.want {
				t.Errorf("ParseRequest(%v).NoCache = %v, want %v", test.header, got, test.want)
			}
		})
	}
}

func FuzzParseCacheControl(f *testing.F) {
	for _, seed := range []string{"max-age=1", `no-cache="a,b", private=`, `x="\`, "s-maxage=99999999999999999999", ",=,\"", "max-stale"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		d := ParseCacheControl([]string{line})
		for _, s := range []Seconds{d.MaxAge, d.SMaxAge, d.MinFresh, d.MaxStale, d.StaleIfError, d.StaleWhileRevalidate} {
			if s < Absent || s > maxSeconds {
				t.Errorf("ParseCacheControl(%q) has %d seconds", line, s)
			}
		}
		// What came first stays, whatever follows.
		if more := ParseCacheControl([]string{line, "max-age=77"}); d.MaxAge != Absent && more.MaxAge != d.MaxAge {
			t.Errorf("max-age of %q = %d, with another line after it %d", line, d.MaxAge, more.MaxAge)
		}
	})
}

// TestParseCacheControl_LongLines: a client may send a header of a megabyte. If each quote
// in it cost a look at the rest, this would take minutes.
func TestParseCacheControl_LongLines(t *testing.T) {
	for _, piece := range []string{`\",`, `",`, `"\",`, `;"\";`, `a="\";`, `,`, `private="\",`} {
		line := `"` + strings.Repeat(piece, 1<<20/len(piece)) + `,max-age=5, no-store`
		if d := ParseCacheControl([]string{line}); !d.NoStore {
			t.Errorf("a long line of %q: %+v, want no-store, which follows", piece, d)
		}
		PlainValue(http.Header{"A": {line}}, "A")
	}
}
