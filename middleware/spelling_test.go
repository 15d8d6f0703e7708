package middleware_test

import (
	"net/http"
	"strings"
	"testing"
)

// A program that purges has the URL as people write it, or as another program escapes
// it; clients have it from a link.
func TestPurge_FindsThePageInAnySpelling(t *testing.T) {
	tests := []struct{ asked, purged string }{
		{"/articles/%C3%A4?q=%C3%B6", "/articles/ä?q=ö"},
		{"/articles/%c3%a4?q=%c3%b6", "/articles/ä?q=ö"},
		{"/articles/%c3%a4", "/articles/%C3%A4"},
		{"/articles/%C3%A4", "/articles/%c3%a4"},
		{"/articles/ä", "/articles/%C3%A4"}, // by a client that escapes nothing
		{"/articles/ä", "/articles/ä"},
		{"/a%20b", "/a b"},
		{"/search?q=a%20b", "/search?q=a b"},
		{"/search?q=a%2Bb%3D", "/search?q=a%2bb%3d"},
		{"/a%2fb", "/a%2Fb"},
		{"/a/b", "/a%2Fb"},
		{"/100%25", "/100%25"},
	}
	for _, test := range tests {
		t.Run(test.asked+" by "+test.purged, func(t *testing.T) {
			s := newSite(t, minute(), text("x"))
			s.get(test.asked)
			if r := s.get(test.asked); !r.hit() {
				t.Fatalf("not stored: %s", r.cacheStatus())
			}
			s.purge(test.purged)
			if r := s.get(test.asked); r.hit() {
				t.Errorf("%s is still a hit after a purge of %s", test.asked, test.purged)
			}
			s.get(test.asked)
			s.do(http.MethodPost, test.purged)
			if r := s.get(test.asked); r.hit() {
				t.Errorf("%s is still a hit after a POST to %s", test.asked, test.purged)
			}
		})
	}
}

// Clients send the names of hosts in ASCII.
func TestPurge_HostThatIsNotASCIIIsAnError(t *testing.T) {
	s := newSite(t, minute(), text("x"))
	r := s.request(t.Context(), http.MethodGet, "/a")
	r.Host = "bücher.example"
	if err := s.cache.Purge(t.Context(), r); err == nil || !strings.Contains(err.Error(), "bücher.example") {
		t.Errorf("Purge = %v, want an error that names the host", err)
	}
}
