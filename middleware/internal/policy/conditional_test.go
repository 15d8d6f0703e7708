package policy

import (
	"net/http"
	"testing"
	"time"
)

func TestNotModified(t *testing.T) {
	selected := Selected{ETag: `"a"`, LastModified: at(-time.Hour), Date: now}
	undated := Selected{ETag: `W/"a"`, Date: now}
	bare := Selected{Date: now}
	tests := map[string]struct {
		selected Selected
		request  http.Header
		want     bool
	}{
		"no condition":                  {selected, header(), false},
		"equal":                         {selected, header("If-None-Match", `"a"`), true},
		"different":                     {selected, header("If-None-Match", `"b"`), false},
		"one of a list":                 {selected, header("If-None-Match", `"1", "a","2"`), true},
		"one of two lines":              {selected, header("If-None-Match", `"1"`, "If-None-Match", `W/"a"`), true},
		"weak and strong":               {undated, header("If-None-Match", `"a"`), true},
		"any":                           {bare, header("If-None-Match", "*"), true},
		"comma inside a tag":            {Selected{ETag: `"a,b"`}, header("If-None-Match", `"x", "a,b"`), true},
		"no tag stored":                 {bare, header("If-None-Match", `""`), false},
		"tag before date":               {selected, header("If-None-Match", `"b"`, "If-Modified-Since", at(0)), false},
		"tag before an earlier date":    {selected, header("If-None-Match", `"a"`, "If-Modified-Since", at(-2*time.Hour)), true},
		"since then":                    {selected, header("If-Modified-Since", at(-time.Hour)), true},
		"since later":                   {selected, header("If-Modified-Since", at(-time.Minute)), true},
		"since earlier":                 {selected, header("If-Modified-Since", at(-2*time.Hour)), false},
		"RFC 850":                       {selected, header("If-Modified-Since", now.Add(-time.Hour).Format(time.RFC850[:len(time.RFC850)-3]+"GMT")), true},
		"no date":                       {selected, header("If-Modified-Since", "yesterday"), false},
		"two dates":                     {selected, header("If-Modified-Since", at(0), "If-Modified-Since", at(0)), false},
		"received stands for modified":  {bare, header("If-Modified-Since", at(0)), true},
		"received after":                {bare, header("If-Modified-Since", at(-time.Minute)), false},
		"Last-Modified cannot be read":  {Selected{LastModified: "x", Date: now}, header("If-Modified-Since", at(0)), false},
		"unquoted on both sides":        {Selected{ETag: "a"}, header("If-None-Match", "a"), true},
		"unquoted is not the same":      {selected, header("If-None-Match", "a"), false},
		"If-None-Match without a value": {selected, http.Header{"If-None-Match": {""}, "If-Modified-Since": {at(0)}}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := NotModified(test.request, test.selected, now); got != test.want {
				t.Errorf("NotModified(%v, %+v) = %v, want %v", test.request, test.selected, got, test.want)
			}
		})
	}
}

func TestIsStrong(t *testing.T) {
	for etag, want := range map[string]bool{`"a"`: true, `""`: true, `W/"a"`: false, `"`: false, "a": false, "": false} {
		if got := IsStrong(etag); got != want {
			t.Errorf("IsStrong(%q) = %v, want %v", etag, got, want)
		}
	}
}

func TestUnstorable(t *testing.T) {
	skip := Unstorable(header("Connection", "close, x-Hop", "Connection", "Y"), []string{"Secret"})
	for field, want := range map[string]bool{
		"Connection": true, "X-Hop": true, "Y": true, "Secret": true, "Keep-Alive": true, "Te": true, "Age": true,
		"Proxy-Authenticate": true, "Proxy-Authentication-Info": true, "Proxy-Authorization": true, "Transfer-Encoding": true, "Upgrade": true, "Proxy-Connection": true,
		"Content-Type": false, "Etag": false, "X-Other": false, "Set-Cookie": false,
	} {
		if got := skip(field); got != want {
			t.Errorf("Unstorable(%q) = %v, want %v", field, got, want)
		}
	}
}

func FuzzNotModified(f *testing.F) {
	f.Add(`"a", W/"b"`, `"b"`, "Thu, 18 Aug 2050 02:01:18 GMT")
	f.Add("*", "", "x")
	f.Fuzz(func(t *testing.T, candidates, etag, date string) {
		s := Selected{ETag: etag, LastModified: date, Date: now}
		NotModified(http.Header{"If-None-Match": {candidates}}, s, now)
		NotModified(http.Header{"If-Modified-Since": {date}}, s, now)
		if IsStrong(etag) && !NotModified(http.Header{"If-None-Match": {etag}}, s, now) && !hasQuoteInside(etag) {
			t.Errorf("the tag %q does not match itself", etag)
		}
	})
}

// hasQuoteInside reports whether a tag is one that no parser could tell from two.
func hasQuoteInside(etag string) bool {
	for _, c := range etag[1 : len(etag)-1] {
		if c == '"' || c == '\\' {
			return true
		}
	}
	return false
}
