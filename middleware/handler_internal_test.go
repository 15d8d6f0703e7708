package middleware

import (
	"net/http"
	"reflect"
	"testing"

	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

func TestSanitize(t *testing.T) {
	h := http.Header{"X-Forwarded-Host": {"evil"}, "X-Original-Url": {"/admin"}, "Accept": {"x"}, "X-Forwarded-Proto": {"HTTPS, http"}}
	got := sanitize(h, nil)
	if want := (http.Header{"Accept": {"x"}, "X-Forwarded-Proto": {"https"}}); !reflect.DeepEqual(got, want) {
		t.Errorf("sanitize = %v, want %v", got, want)
	}
	if len(h) != 4 {
		t.Errorf("sanitize changed its argument to %v", h)
	}
	got = sanitize(h, &stored.Index{Fields: []string{"X-Forwarded-Host"}})
	if got.Get("X-Forwarded-Host") != "evil" {
		t.Error("sanitize removed a field that the response varies on")
	}
	if got := sanitize(http.Header{"X-Forwarded-Proto": {"gopher"}}, nil); len(got) != 0 {
		t.Errorf("sanitize = %v, want no X-Forwarded-Proto: it names no scheme", got)
	}
}
