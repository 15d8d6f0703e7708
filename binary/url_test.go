package memcached_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

func TestParseURL(t *testing.T) {
	servers, opts, err := memcached.ParseURL("memcached://user:pass@host:11212,host2:1:3/?timeout=500ms&tls=true&max_conns=2&" +
		"eject_after=3&replicate=1&idle_timeout=1m&dial_timeout=3s&conn_max_lifetime=1h&retry_after=2s&max_item_size=2000000&prefix=app%3A")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"host:11212", "host2:1"}; !slices.Equal(servers, want) || opts.Weights["host2:1"] != 3 {
		t.Errorf("servers = %q, weights %v, want %q", servers, opts.Weights, want)
	}
	switch {
	case opts.Auth == nil, opts.TLS == nil, opts.Timeout != 500*time.Millisecond, opts.MaxConns != 2, opts.EjectAfter != 3,
		!opts.Replicate, opts.IdleTimeout != time.Minute, opts.DialTimeout != 3*time.Second, opts.ConnMaxLifetime != time.Hour, opts.RetryAfter != 2*time.Second, opts.MaxItemSize != 2_000_000, opts.Prefix != "app:":
		t.Errorf("options = %+v", opts)
	}
	for rawURL, want := range map[string]string{
		"memcached://host":                    "host",
		"memcached://host/":                   "host",
		"memcached://[::1]:1,b?tls=false":     "[::1]:1",
		"memcached:///run/memcached.sock":     "/run/memcached.sock",
		"memcached:///run/m.sock?timeout=1s":  "/run/m.sock",
		"memcached://u:p@/run/memcached.sock": "/run/memcached.sock",
		"memcached://u:p@host?prefix=a@b":     "host",
	} {
		servers, opts, err := memcached.ParseURL(rawURL)
		if err != nil || servers[0] != want || opts.TLS != nil {
			t.Errorf("ParseURL(%q) = %q, %+v, %v, want %q", rawURL, servers, opts, err, want)
		}
	}
}

// TestParseURL_Authenticates: characters that a URL encodes arrive as they are.
func TestParseURL_Authenticates(t *testing.T) {
	const password = "p@ss:w/rd?%&+ä"
	server := newServer(t, &memcachedtest.Options{Users: map[string]string{"a:b": password}})
	for _, encoded := range []string{"a%3Ab:p%40ss%3Aw%2Frd%3F%25%26+%C3%A4", "a%3ab:p@ss:w/rd%3F%25&+ä"} {
		servers, opts, err := memcached.ParseURL("memcached://" + encoded + "@" + server.Addr())
		if err != nil {
			t.Errorf("ParseURL of %q = %v", encoded, err)
			continue
		}
		opts.DialContext = server.DialContext
		client, err := memcached.New(servers, opts)
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Ping(t.Context()); err != nil {
			t.Errorf("Ping with %q = %v", encoded, err)
		}
		_ = client.Close()
	}
}

// FuzzParseURL: what ParseURL takes makes a client, and errors say which input it
// was about.
func FuzzParseURL(f *testing.F) {
	for _, s := range []string{
		"memcached://user:p%40ss@host:11212,host2:1:3/?timeout=500ms&tls=true", "memcached:///run/memcached.sock", "memcached://[::1]:1:2",
		"memcached://a:1/?2,b?prefix=x&replicate=1", "memcached://u:p@", "memcached://%zz:p@h", "host:11211:3", "a b;c", "--SERVER=a:1/?9",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		servers, opts, err := memcached.ParseURL(s)
		if err == nil {
			if client, err := memcached.New(servers, opts); err == nil {
				_ = client.Close()
			} else if !strings.Contains(err.Error(), "Options.") {
				t.Errorf("New of ParseURL(%q) = %v", s, err)
			}
		} else if !strings.HasPrefix(err.Error(), "memcached: ") {
			t.Errorf("ParseURL(%q) = %v", s, err)
		}
		servers, weights, err := memcached.ParseServers(s)
		if err != nil {
			return
		}
		client, err := memcached.New(servers, &memcached.Options{Weights: weights})
		if err != nil {
			t.Fatalf("New of ParseServers(%q) = %q, %v: %v", s, servers, weights, err)
		}
		_ = client.Close()
	})
}

func TestParseURL_Refuses(t *testing.T) {
	for rawURL, want := range map[string]string{
		"":                                           "memcached://",
		"host:11211":                                 "ParseServers",
		"redis://user:S3CRET@host":                   "begins with memcached://",
		"memcached://":                               "no servers",
		"memcached://user:S3CRET@":                   "no servers",
		"memcached://S3CRET@host":                    "user name and a password",
		"memcached://:S3CRET@host":                   "user name and a password",
		"memcached://user:S3CRET%@host":              "%25",
		"memcached://user:S3CRET/host":               "want a port",
		"memcached://host/S3CRET":                    "want host",
		"memcached://host?timeout=5":                 "parameter timeout: want a duration with a unit",
		"memcached://host?max_conns=S3CRET":          "parameter max_conns: want a number",
		"memcached://host?tls=S3CRET":                "parameter tls: want true or false",
		"memcached://host?password=S3CRET":           `no parameter "password"`,
		"memcached://host?timeout=1s&timeout=S3CRET": "parameter timeout: want one value",
		"memcached://host?%zz=S3CRET":                "malformed",
		// Characters that a URL would have encoded: a part of the password looks
		// like something else.
		"memcached://user:12?S3CRET@host/":             "%3F",
		"memcached://user:1?timeout=1s&S3CRET=1@host":  "%3F",
		"memcached://user:12/?S3CRET@host":             "%3F",
		"memcached://user:123@456?S3CRET@host":         "%3F",
		"memcached://user:S3CRET@a,user:S3CRET@b":      "%40",
		"memcached://user:S3CRET@a:11211,u:S3CRET@b:1": "%40",
	} {
		servers, _, err := memcached.ParseURL(rawURL)
		if err == nil || !strings.Contains(fmt.Sprint(err), want) || strings.Contains(err.Error(), secretText) {
			t.Errorf("ParseURL(%q) = %q, %v, want an error with %q", rawURL, servers, err, want)
		}
	}
}
