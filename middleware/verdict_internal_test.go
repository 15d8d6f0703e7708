package middleware

import (
	"strings"
	"testing"
)

func TestWithoutLive(t *testing.T) {
	tests := map[string]struct {
		above, all []string
		encoded    bool
		want       string
	}{
		"nothing above":                      {nil, []string{"A"}, false, "A"},
		"CORS above":                         {[]string{"Origin"}, []string{"Origin"}, false, ""},
		"CORS above, more below":             {[]string{"Origin"}, []string{"Origin", "Accept"}, false, "Accept"},
		"Origin below as well":               {[]string{"Origin"}, []string{"Origin", "Origin"}, false, "Origin"},
		"replaced below":                     {[]string{"Origin"}, []string{"Origin, Accept"}, false, "Origin, Accept"},
		"language above":                     {[]string{"Accept-Language"}, []string{"Accept-Language"}, false, "Accept-Language"},
		"compression above":                  {[]string{"Accept-Encoding"}, []string{"Accept-Encoding"}, false, ""},
		"compression above and in the entry": {[]string{"Accept-Encoding"}, []string{"Accept-Encoding"}, true, "Accept-Encoding"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(withoutLive(test.above, test.all, test.encoded), "|"); got != test.want {
				t.Errorf("withoutLive(%q, %q) = %q, want %q", test.above, test.all, got, test.want)
			}
		})
	}
}
