package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/examples/internal/connect"
)

func TestSite_ServesAPageFromTheCacheUntilItIsChanged(t *testing.T) {
	client, stop, err := connect.Client(func(string) string { return "" }, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	handler, err := site(client)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	request := func(method, path string) (status int, body, cacheStatus string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request) // asks for gzip, and undoes it
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		var text strings.Builder
		if _, err := io.Copy(&text, response.Body); err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, text.String(), response.Header.Get("Cache-Status")
	}
	code, first, _ := request(http.MethodGet, "/articles/1")
	_, second, how := request(http.MethodGet, "/articles/1")
	if code != http.StatusOK || !strings.HasPrefix(first, "Article 1, ") || second != first || !strings.Contains(how, "hit") {
		t.Errorf("GET twice = %d %q and %q (%s), want the same page", code, first, second, how)
	}
	if _, other, _ := request(http.MethodGet, "/articles/2"); !strings.HasPrefix(other, "Article 2, ") {
		t.Errorf("GET of another article = %q", other)
	}
	if code, _, _ := request(http.MethodPost, "/articles/1"); code != http.StatusOK {
		t.Fatalf("POST = %d", code)
	}
	if _, third, _ := request(http.MethodGet, "/articles/1"); third == first {
		t.Errorf("GET after the change = %q, want a new page", third)
	}
}
