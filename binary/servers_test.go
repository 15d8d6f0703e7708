package memcached_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// secretText is what no error may repeat.
const secretText = "S3CRET"

// TestNew_ErrorsNameTheMistakeAndNoPassword: what hosters hand out is no address.
func TestNew_ErrorsNameTheMistakeAndNoPassword(t *testing.T) {
	tests := []struct{ server, want string }{
		{"memcached://user:S3CRET@host", "ParseURL"},
		{"memcached://h:11211", "ParseURL"},
		{"https://user:S3CRET@host:1/", "ParseURL"},
		{"user:S3CRET@host:11211", "Options.Auth"},
		{"tcp://user:S3CRET@host:11211", "Options.Auth"},
		{"S3CRET@host", "Options.Auth"},
		{"user:S3CRET", "want a port"},
		{"user:S3CRET:host:11211", "want an IPv6 address"},
		{":S3CRET", "want host"},
		{"host:11211?password=S3CRET", "want a port"},
		{"a:1,b:2", "ParseServers"},
		{"a:1 b:2", "ParseServers"},
		{"a:1;b:2", "ParseServers"},
		{"host user:S3CRET", "ParseServers"},
		{"host:11211:3", "Options.Weights"},
		{"unix://S3CRET@host", "absolute path"},
		{"cache-1:99999", `"cache-1:99999": want a port from 1 to 65535`},
		{"", `"": want host`},
	}
	for _, tt := range tests {
		_, newErr := memcached.New([]string{"a", tt.server}, nil)
		client, err := memcached.New([]string{"a"}, &memcached.Options{Weights: map[string]int{tt.server: 1}})
		if err == nil {
			_ = client.Close()
		}
		for _, err := range []error{newErr, err} {
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), secretText) {
				t.Errorf("New(%q) = %v, want %q and no password", tt.server, err, tt.want)
			}
		}
	}
}

func TestParseServers(t *testing.T) {
	tests := []struct {
		list    string
		servers []string
		weights map[string]int
	}{
		{"mc1.example.com:11211", []string{"mc1.example.com:11211"}, nil},
		{"a:1,b:2", []string{"a:1", "b:2"}, nil},
		{" a:1 ,\tb:2;c\n", []string{"a:1", "b:2", "c"}, nil},
		{"a:1:3 b:2", []string{"a:1", "b:2"}, map[string]int{"a:1": 3}},
		{"a:1/?3,b/?2", []string{"a:1", "b"}, map[string]int{"a:1": 3, "b": 2}},
		{"--SERVER=a:1 --SERVER=b:1/?9", []string{"a:1", "b:1"}, map[string]int{"b:1": 9}},
		{"[::1]:11211 ::1:2 [::3]:11211:4", []string{"[::1]:11211", "::1:2", "[::3]:11211"}, map[string]int{"[::3]:11211": 4}},
		{"/run/memcached.sock,tcp://b:1", []string{"/run/memcached.sock", "tcp://b:1"}, nil},
	}
	for _, tt := range tests {
		servers, weights, err := memcached.ParseServers(tt.list)
		if err != nil || !slices.Equal(servers, tt.servers) || !maps.Equal(weights, tt.weights) {
			t.Errorf("ParseServers(%q) = %q, %v, %v, want %q, %v", tt.list, servers, weights, err, tt.servers, tt.weights)
		}
		client, err := memcached.New(servers, &memcached.Options{Weights: weights})
		if err != nil {
			t.Errorf("New(%q) = %v", servers, err)
			continue
		}
		_ = client.Close()
	}
}

func TestParseServers_Refuses(t *testing.T) {
	for list, want := range map[string]string{
		"":                          "no servers",
		" , ;":                      "no servers",
		"a:1,a:1":                   "given twice",
		"a:1,user:S3CRET@b:1":       "server 2 of 2",
		"memcached://user:S3CRET@a": "ParseURL",
		"a:1:0":                     "want a weight from 1",
		"a:1:99999999999999999999":  "want a weight from 1",
		"a:0":                       "want a port",
		"a:S3CRET:b":                "want an IPv6 address",
	} {
		servers, _, err := memcached.ParseServers(list)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secretText) {
			t.Errorf("ParseServers(%q) = %q, %v, want an error with %q", list, servers, err, want)
		}
	}
}

// TestWeights_OfServersThatComeLater: a discovery brings them.
func TestWeights_OfServersThatComeLater(t *testing.T) {
	a, b := newServer(t, nil), newServer(t, nil)
	servers := map[string]*memcachedtest.Server{"a.test:11211": a, "b.test:11211": b}
	client := newNamedClient(t, memcached.Options{Weights: map[string]int{"b.test:11211": 3}}, servers, "a.test:11211")
	if err := client.SetServers([]string{"a.test:11211", "b.test:11211"}); err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		set(t, client, fmt.Sprintf("k%d", i), "v")
	}
	if n := len(b.Keys()); n < 650 || n > 850 {
		t.Errorf("the server of weight 3 holds %d of 1000 keys, want about 750", n)
	}
}
