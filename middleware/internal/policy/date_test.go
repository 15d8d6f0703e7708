package policy

import (
	"net/http"
	"testing"
	"time"
)

func TestParseDate(t *testing.T) {
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	want := time.Date(2050, 8, 18, 2, 1, 18, 0, time.UTC)
	valid := map[string]time.Time{
		"Thu, 18 Aug 2050 02:01:18 GMT":    want,
		"THU, 18 AUG 2050 02:01:18 gMT":    want,
		"Thursday, 18-Aug-50 02:01:18 GMT": want,
		"Thu Aug 18 02:01:18 2050":         want,
		"Thu Aug  8 02:01:18 2050":         time.Date(2050, 8, 8, 2, 1, 18, 0, time.UTC),
		"Sunday, 06-Nov-94 08:49:37 GMT":   time.Date(1994, 11, 6, 8, 49, 37, 0, time.UTC),
		"Sun, 21 Nov 2286 04:46:39 GMT":    time.Date(2286, 11, 21, 4, 46, 39, 0, time.UTC),
		"Sat, 31 Dec 2016 23:59:60 GMT":    time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	for s, want := range valid {
		if got, ok := ParseDate(s, now); !ok || !got.Equal(want) {
			t.Errorf("ParseDate(%q) = %v, %v, want %v", s, got, ok, want)
		}
	}
	invalid := []string{
		"", "0", "foo", "Thu, 18 Aug 2050 02:01:18 UTC", "Thu, 18 Aug 2050 02:01:18 AEST",
		"Thu, 18 Aug 50 02:01:18 GMT", "Thu 18 Aug 2050 02:01:18 GMT", "Thu, 18  Aug  2050 02:01:18 GMT",
		"Thu, 18-Aug-2050 02:01:18 GMT", "Thu, 18 Aug 2050 02.01.18 GMT", "Thu, 18 Aug 2050 2:01:18 GMT",
		"Xxx, 18 Aug 2050 02:01:18 GMT", "Thu, 18 Xxx 2050 02:01:18 GMT", "Thu, 31 Feb 2050 02:01:18 GMT",
		"Thu, 00 Aug 2050 02:01:18 GMT", "Thu, 18 Aug 2050 24:01:18 GMT", "Thu, 18 Aug 2050 02:60:18 GMT",
		"Thu, 18 Aug 2050 02:01:61 GMT", "Thu, 18 Aug 2050 02:01:18 GM\x00", "Xxxday, 18-Aug-50 02:01:18 GMT",
		"day, 18-Aug-50 02:01:18 GMT", "Thu Aug x8 02:01:18 2050", "Thu, 18,Aug 2050 02:01:18 GMT",
	}
	for _, s := range invalid {
		if got, ok := ParseDate(s, now); ok {
			t.Errorf("ParseDate(%q) = %v, want none", s, got)
		}
	}
}

func FuzzParseDate(f *testing.F) {
	f.Add("Thu, 18 Aug 2050 02:01:18 GMT")
	f.Add("Thursday, 18-Aug-50 02:01:18 GMT")
	f.Add("Thu Aug  8 02:01:18 2050")
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := ParseDate(s, now)
		if !ok {
			return
		}
		// What is accepted can be written in the preferred form and read again.
		again, err := http.ParseTime(got.Format(http.TimeFormat))
		if err != nil || !again.Equal(got) {
			t.Errorf("ParseDate(%q) = %v, which reads back as %v, %v", s, got, again, err)
		}
	})
}
