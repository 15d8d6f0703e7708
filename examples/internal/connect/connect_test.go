package connect

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// environment returns a getenv.
func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestClient_OfAServerInsideTheProcess(t *testing.T) {
	opts := &memcached.Options{Timeout: 5 * time.Second}
	client, stop, err := Client(environment(nil), opts)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if err := client.Ping(t.Context()); err != nil {
		t.Errorf("Ping() = %v, want nil", err)
	}
	if opts.Auth != nil {
		t.Error("the caller's options were changed")
	}
}

func TestClient_OfServersOfTheEnvironment(t *testing.T) {
	serverTLS, _, err := memcachedtest.TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	certificate := filepath.Join(t.TempDir(), "certificate.pem")
	if err := os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: serverTLS.Certificates[0].Certificate[0]}), 0o600); err != nil {
		t.Fatal(err)
	}
	users := map[string]string{"app": "secret"}
	open := memcachedtest.Start(t, nil)
	first, second := memcachedtest.Start(t, &memcachedtest.Options{Users: users}), memcachedtest.Start(t, &memcachedtest.Options{Users: users})
	encrypted := memcachedtest.Start(t, &memcachedtest.Options{Users: users, TLS: serverTLS})
	for name, test := range map[string]struct {
		env     map[string]string
		servers int
	}{
		"without SASL":  {map[string]string{"MEMCACHED_SERVERS": open.Addr()}, 1},
		"two with SASL": {map[string]string{"MEMCACHED_SERVERS": first.Addr() + ", " + second.Addr(), "MEMCACHED_USERNAME": "app", "MEMCACHED_PASSWORD": "secret"}, 2},
		"a URL":         {map[string]string{"MEMCACHED_SERVERS": "memcached://app:secret@" + first.Addr() + "," + second.Addr() + "/?timeout=5s"}, 2},
		"SASL and TLS": {map[string]string{
			"MEMCACHED_SERVERS": encrypted.Addr(), "MEMCACHED_USERNAME": "app", "MEMCACHED_PASSWORD": "secret", "MEMCACHED_TLS": certificate,
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			client, stop, err := Client(environment(test.env), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			if err := client.Ping(t.Context()); err != nil || len(client.Stats().Servers) != test.servers {
				t.Errorf("Ping() = %v of %d servers, want nil of %d", err, len(client.Stats().Servers), test.servers)
			}
		})
	}
}

func TestClient_BadSettings(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		env  map[string]string
		want string
	}{
		"no server in the list": {map[string]string{"MEMCACHED_SERVERS": " , "}, "MEMCACHED_SERVERS"},
		"an impossible server":  {map[string]string{"MEMCACHED_SERVERS": "host:port:more"}, "MEMCACHED_SERVERS: memcached: server 1 of 1"},
		"no such certificates":  {map[string]string{"MEMCACHED_SERVERS": "localhost", "MEMCACHED_TLS": "/nothing"}, "MEMCACHED_TLS"},
		"empty certificates":    {map[string]string{"MEMCACHED_SERVERS": "localhost", "MEMCACHED_TLS": empty}, "MEMCACHED_TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Client(environment(test.env), nil)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Client() = %v, want an error about %s", err, test.want)
			}
		})
	}
}
