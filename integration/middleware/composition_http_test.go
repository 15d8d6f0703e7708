package middleware_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzhttp"
)

// TestComposition_NetHTTPAnswersAsWithoutTheCache, below http.TimeoutHandler and on
// its own.
func TestComposition_NetHTTPAnswersAsWithoutTheCache(t *testing.T) {
	layers := map[string]func(http.Handler) http.Handler{
		"nothing": func(h http.Handler) http.Handler { return h },
		"timeout": func(h http.Handler) http.Handler { return http.TimeoutHandler(h, time.Minute, "late") },
		"limit":   func(h http.Handler) http.Handler { return http.MaxBytesHandler(h, 1000) },
		"gzip":    func(h http.Handler) http.Handler { return gzhttp.GzipHandler(h) },
		"prefix":  func(h http.Handler) http.Handler { return http.StripPrefix("/page", h) },
	}
	pages := map[string]http.HandlerFunc{
		"long":     func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, longText) },
		"nothing":  func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Page", "1") },
		"404":      http.NotFound,
		"204":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"content": func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "a.txt", time.Unix(1, 0), strings.NewReader(longText))
		},
		"copied": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, strings.NewReader(longText)) },
		"parts": func(w http.ResponseWriter, _ *http.Request) {
			for part := range slices.Chunk([]byte(longText), 100) {
				_, _ = w.Write(part)
			}
		},
		"late field": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "short")
			w.Header().Set("X-Late", "1")
		},
		"fails half way": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "half a page")
			http.Error(w, "sorry", http.StatusInternalServerError)
		},
		"asks for a flusher": func(w http.ResponseWriter, _ *http.Request) {
			if f, ok := w.(http.Flusher); ok {
				f.Flush()
			} else {
				http.Error(w, "cannot stream", http.StatusNotImplemented)
			}
		},
		"asks for a hijacker": func(w http.ResponseWriter, _ *http.Request) {
			_, ok := w.(http.Hijacker)
			fmt.Fprint(w, ok)
		},
	}
	for layer, use := range layers {
		for name, page := range pages {
			t.Run(layer+"/"+name, func(t *testing.T) {
				cache, _ := newCache(t)
				with, without := serve(t, httpSite(cache, use, page)), serve(t, httpSite(nil, use, page))
				for round := range 3 {
					got, want := ask(t, with+"/page/", "Accept-Encoding: gzip"), ask(t, without+"/page/", "Accept-Encoding: gzip")
					if seen(got) != seen(want) {
						t.Errorf("round %d (%s):\n%.300s\nwant\n%.300s", round, got.header.Get("Cache-Status"), seen(got), seen(want))
					}
					if (name == "long" || name == "parts") && round > 0 && !got.hit() {
						t.Errorf("round %d: %s, want a hit", round, got.header.Get("Cache-Status"))
					}
				}
			})
		}
	}
}
