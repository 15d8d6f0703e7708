package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/examples/internal/connect"
)

func TestSite_ServesAPageFromTheCacheUntilItIsPurged(t *testing.T) {
	client, stop, err := connect.Client(func(string) string { return "" }, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	handler, err := site(client)
	if err != nil {
		t.Fatal(err)
	}
	request := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody))
		return w
	}
	first := request(http.MethodGet, "/articles/1")
	second := request(http.MethodGet, "/articles/1")
	if first.Code != http.StatusOK || second.Body.String() != first.Body.String() {
		t.Errorf("GET twice = %q and %q, want the same page", first.Body, second.Body)
	}
	if status := second.Header().Get("Cache-Status"); !strings.Contains(status, "hit") {
		t.Errorf("Cache-Status of the second = %q, want a hit", status)
	}
	if w := request(http.MethodPost, "/purge/article-1"); w.Code != http.StatusOK {
		t.Fatalf("purge = %d %s", w.Code, w.Body)
	}
	if third := request(http.MethodGet, "/articles/1"); third.Body.String() == first.Body.String() {
		t.Errorf("GET after the purge = %q, want a new page", third.Body)
	}
}
