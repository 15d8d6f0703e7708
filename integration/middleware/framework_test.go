package middleware_test

import (
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	chimiddleware "github.com/go-chi/chi/v5/middleware"
	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"

	"github.com/bmemcached/bmemcached-go/middleware"
)

// TestFrameworks_OfNetHTTP: Wrap is middleware for each, beside their own.
func TestFrameworks_OfNetHTTP(t *testing.T) {
	frameworks := map[string]func(*middleware.Cache) http.Handler{
		"standard mux": func(cache *middleware.Cache) http.Handler {
			mux := http.NewServeMux()
			mux.Handle("/{id}", cache.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, "page "+r.PathValue("id")+longText)
			})))
			return mux
		},
		"chi": func(cache *middleware.Cache) http.Handler {
			router := chi.NewRouter()
			router.Use(chimiddleware.RequestID, chimiddleware.Recoverer, chimiddleware.Compress(5), cache.Wrap)
			router.HandleFunc("/{id}", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/plain")
				_, _ = io.WriteString(w, "page "+chi.URLParam(r, "id")+longText)
			})
			return router
		},
		"echo": func(cache *middleware.Cache) http.Handler {
			e := echo.New()
			e.Use(echomiddleware.Recover(), echomiddleware.Gzip(), func(next echo.HandlerFunc) echo.HandlerFunc {
				return func(c echo.Context) error {
					err := next(c)
					if over := c.Request().Context().Err(); over != nil { // a transaction could not be committed
						t.Errorf("%s: above the cache the context says %v", c.Request().URL, over)
					}
					return err
				}
			}, echo.WrapMiddleware(cache.Wrap))
			e.Any("/:id", func(c echo.Context) error { return c.String(http.StatusOK, "page "+c.Param("id")+longText) })
			e.Any("/1/missing", func(echo.Context) error { return echo.ErrNotFound }) // answered when the cache has returned
			return e
		},
	}
	for name, site := range frameworks {
		t.Run(name, func(t *testing.T) {
			cache, _ := newCache(t)
			url := serve(t, site(cache))
			for round := range 3 {
				for _, accept := range []string{"gzip", "identity"} {
					for _, id := range []string{"1", "2"} {
						a := ask(t, url+"/"+id, "Accept-Encoding: "+accept)
						if want := "page " + id + longText; decoded(a) != want {
							t.Errorf("round %d, %s: %d %.100q, want page %s", round, accept, a.status, decoded(a), id)
						}
						if round > 0 && !a.hit() {
							t.Errorf("round %d, %s: %s, want a hit", round, accept, a.header.Get("Cache-Status"))
						}
					}
				}
			}
			for range 2 {
				if a := ask(t, url+"/1/missing"); a.status != http.StatusNotFound || a.body == "" || a.hit() && name == "echo" {
					t.Errorf("what is not there = %d %.100q (%s), want 404", a.status, a.body, a.header.Get("Cache-Status"))
				}
			}
		})
	}
}

// TestFrameworks_ErrorsOfEchoAreCovered where middleware below the cache has them answered:
// otherwise echo answers them when the cache has returned.
func TestFrameworks_ErrorsOfEchoAreCovered(t *testing.T) {
	for name, below := range map[string][]echo.MiddlewareFunc{
		"answered above the cache": nil,
		"answered below the cache": {func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				if err := next(c); err != nil {
					c.Error(err)
				}
				return nil
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			cache, _ := newCacheWith(t, &middleware.Options{StaleIfError: time.Hour})
			e := echo.New()
			e.Use(append([]echo.MiddlewareFunc{echo.WrapMiddleware(cache.Wrap)}, below...)...)
			fails := false
			e.GET("/", func(c echo.Context) error {
				if fails {
					return io.ErrUnexpectedEOF
				}
				c.Response().Header().Set("Cache-Control", "max-age=60")
				c.Response().Header().Set("Age", "61") // as if it had been made a minute ago
				return c.String(http.StatusOK, "page")
			})
			url := serve(t, e)
			ask(t, url)
			fails = true
			want := http.StatusOK
			if below == nil {
				want = http.StatusInternalServerError
			}
			if a := ask(t, url); a.status != want {
				t.Errorf("%d %q (%s), want %d", a.status, a.body, a.header.Get("Cache-Status"), want)
			}
		})
	}
}

// TestFrameworks_RevalidateInTheBackground: chi finds its way anew, also in a router that
// is mounted, and not by what it has used for others meanwhile.
func TestFrameworks_RevalidateInTheBackground(t *testing.T) {
	var version atomic.Int64
	answer := func(w http.ResponseWriter, id string) {
		w.Header().Set("Cache-Control", "max-age=0, stale-while-revalidate=60")
		_, _ = fmt.Fprintf(w, "page %s of %d", id, version.Load())
	}
	frameworks := map[string]func(*middleware.Cache) http.Handler{
		"chi": func(cache *middleware.Cache) http.Handler {
			top, mounted := chi.NewRouter(), chi.NewRouter()
			mounted.With(cache.Wrap).Get("/{id}", func(w http.ResponseWriter, r *http.Request) { answer(w, chi.URLParam(r, "id")) })
			top.Mount("/pages", mounted)
			return top
		},
		"echo": func(cache *middleware.Cache) http.Handler {
			e := echo.New()
			e.GET("/pages/:id", func(c echo.Context) error { answer(c.Response(), c.Param("id")); return nil }, echo.WrapMiddleware(cache.Wrap))
			return e
		},
		"standard mux": func(cache *middleware.Cache) http.Handler {
			top, mounted := http.NewServeMux(), http.NewServeMux()
			mounted.Handle("/{id}", cache.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, r.PathValue("id")) })))
			top.Handle("/pages/", http.StripPrefix("/pages", mounted))
			return top
		},
	}
	for name, framework := range frameworks {
		t.Run(name, func(t *testing.T) {
			var site http.Handler
			cache, _ := newCacheWith(t, &middleware.Options{Engine: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { site.ServeHTTP(w, r) })})
			site = framework(cache)
			url := serve(t, site)
			version.Store(1)
			for _, id := range []string{"1", "2", "3"} {
				ask(t, url+"/pages/"+id)
			}
			version.Store(2)
			for _, id := range []string{"1", "2", "3"} {
				want := fmt.Sprintf("page %s of 2", id)
				got := ask(t, url+"/pages/"+id).body
				for began := time.Now(); got != want && time.Since(began) < 20*time.Second; got = ask(t, url+"/pages/"+id).body {
					time.Sleep(10 * time.Millisecond)
				}
				if got != want {
					t.Errorf("page %s stays %q, want %q", id, got, want)
				}
			}
		})
	}
}
