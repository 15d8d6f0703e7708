package session_test

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/session"
)

// Browsers drop a Secure cookie over plain HTTP without a word.
func TestLog_SecureCookieOverPlainHTTP(t *testing.T) {
	for _, tt := range []struct {
		cookie, host, field, value string
		tls, warned                bool
	}{
		{cookie: "__Host-session", host: "example.test", warned: true},
		{cookie: "__Secure-session", host: "192.0.2.1:8080", warned: true},
		{cookie: "session", host: "example.test"},
		{cookie: "__Host-session", host: "example.test", tls: true},
		{cookie: "__Host-session", host: "localhost:8080"},
		{cookie: "__Host-session", host: "shop.localhost"},
		{cookie: "__Host-session", host: "127.0.0.1:8080"},
		{cookie: "__Host-session", host: "[::1]:8080"},
		{cookie: "__Host-session", host: "example.test", field: "X-Forwarded-Proto", value: "https"},
		{cookie: "__Host-session", host: "example.test", field: "X-Forwarded-Proto", value: "http", warned: true},
		{cookie: "__Host-session", host: "example.test", field: "Forwarded", value: "for=192.0.2.1;proto=https"},
	} {
		var logs bytes.Buffer
		_, store := newStore(t, &session.Options{Logger: slog.New(slog.NewTextHandler(&logs, nil))})
		for range 3 {
			r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
			if r.Host = tt.host; tt.tls {
				r.TLS = new(tls.ConnectionState)
			}
			if tt.field != "" {
				r.Header.Set(tt.field, tt.value)
			}
			s, _ := store.Get(r, tt.cookie)
			s.Values["k"] = 1
			if err := s.Save(r, w); err != nil {
				t.Errorf("Save: %v", err)
			}
		}
		want := 0
		if tt.warned {
			want = 1
		}
		if n := strings.Count(logs.String(), "plain HTTP"); n != want {
			t.Errorf("%s at %s, %s %q, TLS %t: warned %d times, want %d: %s", tt.cookie, tt.host, tt.field, tt.value, tt.tls, n, want, &logs)
		}
	}
}
