package middleware_test

import (
	"strings"
	"testing"
	"time"

	memcached "github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

func TestNew_PanicsWithoutClient(t *testing.T) {
	for name, client := range map[string]middleware.Client{"nil": nil, "typed nil": (*memcached.Client)(nil)} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if got, want := recover(), "middleware: New: client is nil"; got != want {
					t.Errorf("New with a client that is %s panics with %v, want %q", name, got, want)
				}
			}()
			_, _ = middleware.New(client, nil)
		})
	}
}

func TestNew_RefusesOptions(t *testing.T) {
	tests := map[string]struct {
		opts middleware.Options
		want string // part of the error
	}{
		"TTL without a unit":            {middleware.Options{TTL: 60}, "Options.TTL of 60ns: durations have units, as in 60*time.Second"},
		"negative TTL":                  {middleware.Options{TTL: -time.Second}, "Options.TTL is -1s: want 0 or more"},
		"revalidation without a unit":   {middleware.Options{StaleWhileRevalidate: 999_999}, "Options.StaleWhileRevalidate of 999.999µs: durations"},
		"negative revalidation":         {middleware.Options{StaleWhileRevalidate: -1}, "Options.StaleWhileRevalidate is -1ns: want 0"},
		"stale-if-error without a unit": {middleware.Options{StaleIfError: 1}, "Options.StaleIfError of 1ns: durations"},
		"negative stale-if-error":       {middleware.Options{StaleIfError: -time.Hour}, "Options.StaleIfError is -1h0m0s: want 0"},
		"lookup without a unit":         {middleware.Options{LookupTimeout: 100}, "Options.LookupTimeout of 100ns: durations"},
		"negative lookup":               {middleware.Options{LookupTimeout: -1}, "Options.LookupTimeout is -1ns: want 0"},
		"negative body":                 {middleware.Options{MaxBody: -1}, "Options.MaxBody is -1: want 0 or more"},
		"targeted field without a name": {middleware.Options{TargetedFields: []string{""}}, `Options.TargetedFields has ""`},
		"targeted field with a colon":   {middleware.Options{TargetedFields: []string{"A", "CDN:"}}, `Options.TargetedFields has "CDN:": want the name of a header field`},
		"prefix with a space":           {middleware.Options{Prefix: "my page:"}, `Options.Prefix is "my page:": want neither spaces`},
		"prefix with a control":         {middleware.Options{Prefix: "page\x7f"}, `Options.Prefix is "page\x7f"`},
		"prefix too long":               {middleware.Options{Prefix: strings.Repeat("p", 151)}, "Options.Prefix has 151 bytes: want at most 150"},
	}
	client := clientOf(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cache, err := middleware.New(client, &test.opts)
			if err == nil {
				_ = cache.Close()
				t.Fatalf("New(%+v) gives no error, want one with %q", test.opts, test.want)
			}
			if got := err.Error(); !strings.HasPrefix(got, "middleware: Options.") || !strings.Contains(got, test.want) {
				t.Errorf("New(%+v) = %q, want it to have %q", test.opts, got, test.want)
			}
		})
	}
}

func TestNew_TakesOptionsAtTheirLimits(t *testing.T) {
	for name, opts := range map[string]*middleware.Options{
		"nil":             nil,
		"a millisecond":   {TTL: time.Millisecond, LookupTimeout: time.Millisecond},
		"no targeted":     {TargetedFields: []string{}},
		"longest prefix":  {Prefix: strings.Repeat("p", 150)},
		"prefix of UTF-8": {Prefix: "страница:"},
	} {
		t.Run(name, func(t *testing.T) {
			cache, err := middleware.New(clientOf(t), opts)
			if err != nil {
				t.Fatalf("New(%+v) = %v, want no error", opts, err)
			}
			_ = cache.Close()
		})
	}
}

// TestNew_CopiesOptions: what the caller does with them afterwards is no concern
// of the cache.
func TestNew_CopiesOptions(t *testing.T) {
	opts := &middleware.Options{TargetedFields: []string{"My-Cache-Control"}}
	s := newSite(t, opts, text("a", "My-Cache-Control: max-age=60", "Cache-Control: no-store"))
	opts.TargetedFields[0] = "Other-Cache-Control"
	s.get("/a")
	if r := s.get("/a"); !r.hit() {
		t.Errorf("Cache-Status = %q, want a hit: the options changed after New", r.cacheStatus())
	}
}

// clientOf returns a client of a memcached of its own.
func clientOf(t *testing.T) *memcached.Client {
	t.Helper()
	memory := memcachedtest.Start(t, nil)
	client, err := memcached.New([]string{memory.Addr()}, &memcached.Options{DialContext: memory.DialContext})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}
