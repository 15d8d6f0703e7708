package middleware_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
)

// TestCredentials_AreNotOnlyAuthorization.
func TestCredentials_AreNotOnlyAuthorization(t *testing.T) {
	for _, field := range []string{"Authorization", "Proxy-Authorization", "X-Api-Key"} {
		s := newSite(t, minute(), text("x"))
		s.get("/a", field+": secret")
		if r := s.get("/a"); r.hit() {
			t.Errorf("a page made for a request with %s is given to a stranger", field)
		}
		if r := s.get("/a", field+": secret"); r.hit() {
			t.Errorf("a request with %s gets a page that is not marked public", field)
		}
	}
}

// TestPersonal_RequestsBypassTheCache, by what the options name.
func TestPersonal_RequestsBypassTheCache(t *testing.T) {
	opts := minute()
	opts.PersonalCookies, opts.PersonalFields = []string{"sid"}, []string{"x-user"}
	s := newSite(t, opts, text("x"))
	for _, line := range []string{"Cookie: sid=1", "Cookie: theme=dark;sid=1", "Cookie: theme=dark; sid =1", "X-User: 1"} {
		for range 2 {
			if r := s.get("/a", line); r.cacheStatus() != "bmemcached; fwd=bypass" {
				t.Errorf("%s: %s, want a bypass", line, r.cacheStatus())
			}
		}
	}
	s.get("/a", "Cookie: theme=dark; side=1")
	if r := s.get("/a", "Cookie: theme=light"); !r.hit() {
		t.Errorf("with other cookies = %s, want a hit", r.cacheStatus())
	}
}

// TestPersonal_ClientCertificatesBypassTheCache: a handler may greet whom they name.
func TestPersonal_ClientCertificatesBypassTheCache(t *testing.T) {
	for _, ignored := range []bool{false, true} {
		opts := minute()
		opts.IgnoreClientCertificates = ignored
		s := newSite(t, opts, func(c *gin.Context) {
			c.String(http.StatusOK, "hello %d", len(c.Request.TLS.PeerCertificates))
		})
		server := httptest.NewUnstartedServer(s.router)
		server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
		server.StartTLS()
		t.Cleanup(server.Close)
		visit := func(certificates ...tls.Certificate) string {
			t.Helper()
			transport := server.Client().Transport.(*http.Transport).Clone()
			transport.TLSClientConfig.Certificates = certificates
			defer transport.CloseIdleConnections()
			answer, err := (&http.Client{Transport: transport}).Get(server.URL + "/a")
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			return string(body)
		}
		known := server.TLS.Certificates[0] // any will do
		want := []string{"hello 1", "hello 0", "hello 1"}
		if ignored {
			want = []string{"hello 1", "hello 1", "hello 1"}
		}
		for i, certificates := range [][]tls.Certificate{{known}, nil, {known}} {
			if got := visit(certificates...); got != want[i] {
				t.Errorf("ignored %v, visit %d with %d certificates: %q, want %q", ignored, i, len(certificates), got, want[i])
			}
		}
	}
}

// TestNeutralCookies_GoToTheirVisitorOnly.
func TestNeutralCookies_GoToTheirVisitorOnly(t *testing.T) {
	opts := minute()
	opts.NeutralCookies = []string{"visit"}
	s := newSite(t, opts, func(c *gin.Context) {
		c.SetCookie("visit", "1", 60, "/", "", false, true)
		if c.Query("login") != "" {
			c.SetCookie("sid", "1", 60, "/", "", false, true)
		}
		c.String(http.StatusOK, "x")
	})
	if r := s.get("/a"); len(r.Header["Set-Cookie"]) != 1 {
		t.Errorf("Set-Cookie = %q, want the visitor's", r.Header["Set-Cookie"])
	}
	if r := s.get("/a"); !r.hit() || len(r.Header["Set-Cookie"]) != 0 {
		t.Errorf("then %s with Set-Cookie %q, want a hit without", r.cacheStatus(), r.Header["Set-Cookie"])
	}
	for range 2 {
		if r := s.get("/a?login=1"); r.hit() || len(r.Header["Set-Cookie"]) != 2 {
			t.Errorf("with another cookie = %s, Set-Cookie %q, want both and no hit", r.cacheStatus(), r.Header["Set-Cookie"])
		}
	}
}
