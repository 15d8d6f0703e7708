package policy

import "testing"

func TestAcceptLanguage(t *testing.T) {
	tests := map[string]string{
		"":                               "",
		"de":                             "de",
		"en-us,en;q=0.5":                 "en-US,en;q=0.5",
		"en;q=0.5 , EN-US":               "en-US,en;q=0.5",
		"fr, de":                         "de,fr",
		"*;q=0, zh-HANT-tw;Q=0.250":      "zh-Hant-TW;q=0.25,*;q=0",
		"de-ch-1996, x-AB-cd, en-a-BB":   "de-CH-1996,en-a-bb,x-ab-cd",
		"de;q=0.001, en;q=1.000, it;q=2": "en,it,de;q=0.001",
		",,de":                           "de",
	}
	for line, want := range tests {
		if got := AcceptLanguage([]string{line}); got != want {
			t.Errorf("AcceptLanguage(%q) = %q, want %q", line, got, want)
		}
		if got := AcceptLanguage([]string{want}); got != want {
			t.Errorf("AcceptLanguage(%q) = %q, want it as it is", want, got)
		}
	}
}
