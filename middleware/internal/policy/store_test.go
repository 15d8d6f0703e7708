package policy

import (
	"math"
	"net/http"
	"testing"
	"time"
)

var now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// at formats a time relative to now.
func at(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }

// header makes a header of alternating names and values.
func header(lines ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(lines); i += 2 {
		h.Add(lines[i], lines[i+1])
	}
	return h
}

func received(status int, lines ...string) *Response {
	return &Response{Status: status, Header: header(lines...), Requested: now, Received: now}
}

func TestEvaluate_Refuses(t *testing.T) {
	fresh := []string{"Cache-Control", "max-age=60"}
	with := func(lines ...string) []string { return append(lines, fresh...) }
	tests := map[string]struct {
		status int
		lines  []string
		why    string
	}{
		"no freshness":             {200, nil, "no freshness"},
		"no-store":                 {200, []string{"Cache-Control", "max-age=60, no-store"}, "no-store"},
		"private":                  {200, []string{"Cache-Control", "max-age=60, private"}, "private"},
		"Set-Cookie":               {200, with("Set-Cookie", "a=b"), "set-cookie"},
		"Set-Cookie2":              {200, with("Set-Cookie2", "a=b"), "set-cookie"},
		"206":                      {206, fresh, "status"},
		"304":                      {304, fresh, "status"},
		"103":                      {103, fresh, "status"},
		"Vary: *":                  {200, with("Vary", "a, *"), "vary"},
		"Trailer":                  {200, with("Trailer", "X"), "trailer"},
		"trailer by prefix":        {200, with(http.TrailerPrefix+"X", "1"), "trailer"},
		"event stream":             {200, with("Content-Type", "text/event-stream; charset=utf-8"), "stream"},
		"must-understand":          {599, []string{"Cache-Control", "max-age=60, no-store, must-understand"}, "must-understand"},
		"stale without use":        {200, []string{"Cache-Control", "max-age=0, must-revalidate"}, "already stale"},
		"no-cache, no validator":   {200, []string{"Cache-Control", "no-cache, max-age=60"}, "already stale"},
		"targeted no-store":        {200, with("Cdn-Cache-Control", "no-store"), "no-store"},
		"guess for a 403":          {403, []string{"Last-Modified", at(-24 * time.Hour)}, "no freshness"},
		"invalid targeted ignored": {200, []string{"Cdn-Cache-Control", "max-age=60, &", "Cache-Control", "no-store"}, "no-store"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			v := Evaluate(received(test.status, test.lines...), &Config{Targeted: []string{"CDN-Cache-Control"}})
			if v.Store || v.Publish || v.Reason != test.why {
				t.Errorf("Evaluate(%d %v) = %+v, want it refused for %q", test.status, test.lines, v, test.why)
			}
		})
	}
}

func TestEvaluate_Freshness(t *testing.T) {
	const day = 24 * time.Hour
	tests := map[string]struct {
		status   int
		lines    []string
		ttl      time.Duration
		age      time.Duration
		lifetime time.Duration
	}{
		"max-age":                      {200, []string{"Cache-Control", "max-age=60"}, 0, 0, time.Minute},
		"s-maxage before max-age":      {200, []string{"Cache-Control", "max-age=60, s-maxage=5"}, 0, 0, 5 * time.Second},
		"max-age before Expires":       {200, []string{"Cache-Control", "max-age=60", "Expires", at(-day), "Date", at(0)}, 0, 0, time.Minute},
		"Expires minus Date":           {200, []string{"Expires", at(300 * time.Second), "Date", at(-100 * time.Second)}, 0, 100 * time.Second, 400 * time.Second},
		"Expires without Date":         {200, []string{"Expires", at(300 * time.Second)}, 0, 0, 300 * time.Second},
		"Expires with bad Date":        {200, []string{"Expires", at(300 * time.Second), "Date", "foo"}, 0, 0, 300 * time.Second},
		"targeted before all":          {200, []string{"Cdn-Cache-Control", "max-age=5", "Cache-Control", "no-store", "Expires", at(0)}, 0, 0, 5 * time.Second},
		"targeted hides Expires":       {200, []string{"Cdn-Cache-Control", "public", "Expires", at(day)}, 7 * time.Second, 0, 7 * time.Second},
		"Age":                          {200, []string{"Cache-Control", "max-age=60", "Age", "10"}, 0, 10 * time.Second, time.Minute},
		"first Age of a list":          {200, []string{"Cache-Control", "max-age=60", "Age", "10, 50"}, 0, 10 * time.Second, time.Minute},
		"first Age of two lines":       {200, []string{"Cache-Control", "max-age=60", "Age", "0", "Age", "50"}, 0, 0, time.Minute},
		"Age that is no number":        {200, []string{"Cache-Control", "max-age=60", "Age", "7.0"}, 0, 0, time.Minute},
		"Age with a parameter":         {200, []string{"Cache-Control", "max-age=60", "Age", "7;a=b"}, 0, 7 * time.Second, time.Minute},
		"negative Age":                 {200, []string{"Cache-Control", "max-age=60", "Age", "-7"}, 0, 0, time.Minute},
		"Date in the past":             {200, []string{"Cache-Control", "max-age=60", "Date", at(-20 * time.Second)}, 0, 20 * time.Second, time.Minute},
		"Date in the future":           {200, []string{"Cache-Control", "max-age=60", "Date", at(20 * time.Second)}, 0, 0, time.Minute},
		"TTL for a 200":                {200, nil, 7 * time.Second, 0, 7 * time.Second},
		"TTL for a 404":                {404, nil, 7 * time.Second, 0, 7 * time.Second},
		"TTL with public":              {503, []string{"Cache-Control", "public"}, 7 * time.Second, 0, 7 * time.Second},
		"TTL before a guess":           {200, []string{"Last-Modified", at(-10 * day)}, 7 * time.Second, 0, 7 * time.Second},
		"a tenth since Last-Modified":  {200, []string{"Last-Modified", at(-5 * day), "Date", at(0)}, 0, 0, day / 2},
		"a guess of a day at most":     {410, []string{"Last-Modified", at(-500 * day)}, 0, 0, day},
		"a guess for a 599 if public":  {599, []string{"Last-Modified", at(-5 * day), "Cache-Control", "public"}, 0, 0, day / 2},
		"explicit for a 500":           {500, []string{"Cache-Control", "max-age=60"}, 0, 0, time.Minute},
		"must-understand beats store":  {200, []string{"Cache-Control", "max-age=60, no-store, must-understand"}, 0, 0, time.Minute},
		"qualified private":            {200, []string{"Cache-Control", `max-age=60, private="x"`}, 0, 0, time.Minute},
		"already stale but verifiable": {200, []string{"Cache-Control", "max-age=60", "Age", "100", "Etag", `"a"`}, 0, 100 * time.Second, time.Minute},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			v := Evaluate(received(test.status, test.lines...), &Config{TTL: test.ttl, Targeted: []string{"CDN-Cache-Control"}})
			if !v.Store || v.Age != test.age || v.Lifetime != test.lifetime {
				t.Errorf("Evaluate(%d %v) = store %v (%s), age %v, lifetime %v, want age %v, lifetime %v",
					test.status, test.lines, v.Store, v.Reason, v.Age, v.Lifetime, test.age, test.lifetime)
			}
			if v.Publish != (v.Lifetime > v.Age) {
				t.Errorf("Evaluate(%d %v).Publish = %v with age %v of %v", test.status, test.lines, v.Publish, v.Age, v.Lifetime)
			}
		})
	}
}

func TestEvaluate_InvalidExpiryIsThePast(t *testing.T) {
	for _, expires := range []string{"0", "Thu, 18 Aug 2050 2:01:18 GMT", at(-time.Hour), at(0)} {
		v := Evaluate(received(200, "Expires", expires, "Date", at(0)), &Config{TTL: time.Hour})
		if v.Lifetime != 0 || v.Publish {
			t.Errorf("Evaluate(Expires: %s) = lifetime %v, share %v, want stale", expires, v.Lifetime, v.Publish)
		}
	}
}

func TestEvaluate_DelayCountsForForwardedResponses(t *testing.T) {
	r := received(200, "Cache-Control", "max-age=60")
	r.Requested = now.Add(-5 * time.Second)
	if v := Evaluate(r, &Config{}); v.Age != 0 {
		t.Errorf("age of a response made here = %v, want 0", v.Age)
	}
	r.Header.Set("Age", "10")
	if v := Evaluate(r, &Config{}); v.Age != 15*time.Second {
		t.Errorf("age of a response with Age: 10 after 5 s = %v, want 15 s", v.Age)
	}
}

// TestEvaluate_AgeHasAnEnd: times that are far apart overflow what counts seconds.
func TestEvaluate_AgeHasAnEnd(t *testing.T) {
	for name, lines := range map[string][]string{
		"Date":       {"Date", "Mon, 01 Jan 0001 00:00:00 GMT"},
		"Age":        {"Age", "99999999999999999999999"},
		"2^63 of it": {"Age", "9223372036854775808"},
		"Date, Age":  {"Date", "Mon, 01 Jan 0001 00:00:00 GMT", "Age", "99999999999"},
	} {
		v := Evaluate(received(200, append(lines, "Cache-Control", "max-age=60", "Etag", `"a"`)...), &Config{})
		if !v.Store || v.Publish || v.Age <= v.Lifetime || v.Age+keepLongest < v.Age {
			t.Errorf("%s: Evaluate = %+v, want it stale, at an age that can still grow", name, v)
		}
	}
}

func TestEvaluate_Authorization(t *testing.T) {
	for directive, want := range map[string]bool{
		"max-age=60": false, "max-age=60, public": true, "max-age=60, must-revalidate": true, "s-maxage=60": true,
	} {
		r := received(200, "Cache-Control", directive)
		r.Authorized = true
		if v := Evaluate(r, &Config{}); v.Store != want {
			t.Errorf("Evaluate(%s) to an authorized request = %v (%s), want %v", directive, v.Store, v.Reason, want)
		}
	}
}

func TestEvaluate_StoreSetCookie(t *testing.T) {
	r := received(200, "Cache-Control", "max-age=60", "Set-Cookie", "a=b")
	if v := Evaluate(r, &Config{StoreSetCookie: true}); !v.Store {
		t.Errorf("Evaluate with StoreSetCookie = refused for %q, want stored", v.Reason)
	}
}

func TestEvaluate_HeuristicStatuses(t *testing.T) {
	want := map[int]bool{200: true, 203: true, 204: true, 300: true, 301: true, 308: true, 404: true, 405: true, 410: true, 414: true, 501: true}
	for status := 200; status < 600; status++ {
		if v := Evaluate(received(status), &Config{TTL: time.Minute}); v.Store != want[status] {
			t.Errorf("Evaluate(%d) with a TTL = %v, want %v", status, v.Store, want[status])
		}
	}
}

func TestEvaluate_Windows(t *testing.T) {
	const minute = time.Minute
	chosen := Config{StaleWhileRevalidate: minute, StaleIfError: 2 * minute}
	tests := map[string]struct {
		directive string
		swr, sie  time.Duration
	}{
		"the operator's":               {"max-age=1", minute, 2 * minute},
		"the response's":               {"max-age=1, stale-while-revalidate=5, stale-if-error=6", 5 * time.Second, 6 * time.Second},
		"the response declines":        {"max-age=1, stale-while-revalidate=0", 0, 2 * minute},
		"must-revalidate":              {"max-age=1, must-revalidate, stale-if-error=6", 0, 0},
		"proxy-revalidate":             {"max-age=1, proxy-revalidate", 0, 0},
		"s-maxage, operator's choice":  {"s-maxage=1", 0, 0},
		"s-maxage, response's choice":  {"s-maxage=1, stale-while-revalidate=5", 5 * time.Second, 0},
		"no-cache":                     {"no-cache, stale-while-revalidate=5", 0, 0},
		"invalid counts as none given": {"max-age=1, stale-if-error=x", minute, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			v := Evaluate(received(200, "Cache-Control", test.directive, "Etag", `"a"`), &chosen)
			if v.StaleWhileRevalidate != test.swr || v.StaleIfError != test.sie {
				t.Errorf("Evaluate(%s) = %v while revalidating, %v if error, want %v, %v",
					test.directive, v.StaleWhileRevalidate, v.StaleIfError, test.swr, test.sie)
			}
		})
	}
}

func TestEvaluate_KeepsForAsLongAsItCanBeUsed(t *testing.T) {
	const day = 24 * time.Hour
	tests := map[string]struct {
		lines []string
		c     Config
		want  time.Duration
	}{
		"fresh, then max-stale":     {[]string{"Cache-Control", "max-age=60"}, Config{}, 2 * time.Minute},
		"must-revalidate":           {[]string{"Cache-Control", "max-age=60, must-revalidate"}, Config{}, time.Minute},
		"validator":                 {[]string{"Cache-Control", "max-age=60, must-revalidate", "Etag", `"a"`}, Config{}, time.Minute + day},
		"unreachable":               {[]string{"Cache-Control", "max-age=60"}, Config{StaleIfUnreachable: true}, time.Minute + day},
		"stale-if-error":            {[]string{"Cache-Control", "max-age=60, stale-if-error=600"}, Config{}, 11 * time.Minute},
		"stale-if-error, half over": {[]string{"Cache-Control", "max-age=60, stale-if-error=600", "Age", "360"}, Config{}, 5 * time.Minute},
		"Expires in 9999":           {[]string{"Expires", "Fri, 31 Dec 9999 23:59:59 GMT"}, Config{}, 365 * day},
		"a TTL for ever":            {nil, Config{TTL: math.MaxInt64}, 365 * day},
		"windows for ever":          {[]string{"Cache-Control", "max-age=60"}, Config{StaleIfError: math.MaxInt64, StaleWhileRevalidate: math.MaxInt64}, 365 * day},
		"a year at most":            {[]string{"Cache-Control", "max-age=2147483648"}, Config{}, 365 * day},
		"no-cache with validator":   {[]string{"Cache-Control", "max-age=60, no-cache", "Last-Modified", at(-day)}, Config{}, day},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if v := Evaluate(received(200, test.lines...), &test.c); v.Keep != test.want {
				t.Errorf("Evaluate(%v).Keep = %v (%s), want %v", test.lines, v.Keep, v.Reason, test.want)
			}
		})
	}
}

func FuzzEvaluate(f *testing.F) {
	f.Add(200, "max-age=60", "", "", "", "Thu, 01 Jan 2026 00:00:00 GMT")
	f.Add(404, "private", "no-store", "10", "Accept", "")
	f.Add(599, "must-understand, no-store", "", "-1", "*", "0")
	f.Fuzz(func(t *testing.T, status int, control, targeted, age, vary, date string) {
		r := received(status, "Cache-Control", control, "Age", age, "Vary", vary, "Date", date, "Expires", date, "Last-Modified", date)
		if targeted != "" {
			r.Header.Set("CDN-Cache-Control", targeted)
		}
		c := &Config{TTL: time.Minute, Targeted: []string{"CDN-Cache-Control"}, StaleIfUnreachable: len(control)%2 == 0}
		v := Evaluate(r, c)
		if v.Store == (v.Reason != "") {
			t.Errorf("stored %v for the reason %q", v.Store, v.Reason)
		}
		if v.Store && (v.Keep <= 0 || v.Keep > keepLongest || v.Age < 0 || v.Lifetime < 0) {
			t.Errorf("stored for %v with age %v and lifetime %v", v.Keep, v.Age, v.Lifetime)
		}
		if v.Publish && (!v.Store || v.Lifetime <= v.Age) {
			t.Errorf("shared: %+v", v)
		}
		if d := ParseCacheControl([]string{control}); targeted == "" && v.Store && (d.Private || d.NoStore && !d.MustUnderstand) {
			t.Errorf("stored in spite of %q", control)
		}
		for _, seconds := range []string{"", "max-age=5", "max-stale", "min-fresh=5"} {
			use := Judge(v.Terms, v.Age+time.Second, ParseCacheControl([]string{seconds}))
			if use == Fresh && v.NoStale && v.Age+time.Second >= v.Lifetime && seconds != "min-fresh=5" {
				t.Errorf("used stale with %q: %+v", seconds, v)
			}
		}
	})
}

// TestEvaluate_KeepsNothingForLessThanAMillisecond: the client refuses such a time
// to live.
func TestEvaluate_KeepsNothingForLessThanAMillisecond(t *testing.T) {
	for left, want := range map[time.Duration]bool{time.Millisecond - 1: false, time.Millisecond: true} {
		r := received(200, "Cache-Control", "s-maxage=1", "Age", "0")
		r.Requested = r.Received.Add(left - time.Second)
		if v := Evaluate(r, &Config{}); v.Store != want {
			t.Errorf("Evaluate of a response with %v left = %+v, want Store %v", left, v, want)
		}
	}
}
