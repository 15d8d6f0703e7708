package session

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func sampleRoster() roster {
	at := time.Unix(1700000000, 0)
	return roster{
		{handle: handle{1}, created: at, used: at.Add(time.Hour), end: at.Add(12 * time.Hour), idle: 20 * time.Minute, label: "Firefox"},
		{handle: handle{2}, created: at, used: at, end: at.Add(400 * 24 * time.Hour), idle: 400 * 24 * time.Hour},
	}
}

func TestRoster_ComesBackAsItWas(t *testing.T) {
	encoded := sampleRoster().encode()
	if got, err := decodeRoster(string(encoded)); err != nil || !reflect.DeepEqual(got, sampleRoster()) {
		t.Errorf("decodeRoster = %v, %v, want %v", got, err, sampleRoster())
	}
	first := len(sampleRoster()[:1].encode())
	for n := range encoded {
		if _, err := decodeRoster(string(encoded[:n])); (err == nil) != (n == 0 || n == first) {
			t.Errorf("decodeRoster of %d of %d bytes: %v", n, len(encoded), err)
		}
	}
}

func TestRoster_ForgetsWhatIsOverFirst(t *testing.T) {
	now := time.Now()
	made := func(n byte, used time.Duration) place {
		return place{handle: handle{n}, used: now.Add(-used), end: now.Add(time.Hour), idle: 20 * time.Minute}
	}
	r := roster{made(1, 2*time.Minute), made(2, time.Hour), made(3, time.Minute), made(4, 0)}
	r = r.with(made(5, 0), 3)
	if len(r) != 3 || r.find(handle{3}) == nil || r.find(handle{4}) == nil || r.find(handle{5}) == nil {
		t.Errorf("a roster of three has %v", r)
	}
	if r.find(handle{}) != nil {
		t.Error("no handle is in the roster")
	}
}

func TestLabel_IsCutBetweenCharacters(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"Firefox", "Firefox"},
		{strings.Repeat("é", 200), strings.Repeat("é", 60)},
		{"x" + strings.Repeat("é", 200), "x" + strings.Repeat("é", 59)},
		{"\xff", "\ufffd"},
	} {
		if got := asLabel(tt.in); got != tt.want {
			t.Errorf("asLabel(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func FuzzDecodeRoster(f *testing.F) {
	f.Add(sampleRoster().encode())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decodeRoster(string(data))
		if err != nil {
			return
		}
		if again, err := decodeRoster(string(r.encode())); err != nil || !reflect.DeepEqual(again, r) {
			t.Errorf("decodeRoster(%q) = %v, and encoded again %v, %v", data, r, again, err)
		}
	})
}
