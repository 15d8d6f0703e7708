// Package connect gives the examples a memcached: the one that the environment
// names, or one inside the process.
//
//	MEMCACHED_SERVERS    addresses, separated by commas, or a URL (memcached.ParseURL)
//	                     that says the rest, too; empty: one inside the process
//	MEMCACHED_USERNAME   for servers that ask for authentication (SASL)
//	MEMCACHED_PASSWORD
//	MEMCACHED_TLS        on: encrypt; a file: encrypt, and trust its certificates
package connect

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// Client returns a client with opts (nil: defaults) of the servers that the
// environment names, or of one inside the process. stop ends both.
func Client(getenv func(string) string, opts *memcached.Options) (client *memcached.Client, stop func(), err error) {
	complete := memcached.Options{}
	if opts != nil {
		complete = *opts
	}
	end := func() {}
	addrs, err := Environment(getenv, &complete)
	if err != nil {
		return nil, nil, err
	}
	if addrs == nil {
		server, err := Embedded(1, &complete)
		if err != nil {
			return nil, nil, err
		}
		addrs, end = []string{server[0].Addr()}, server[0].Close
	}
	if client, err = memcached.New(addrs, &complete); err != nil {
		end()
		return nil, nil, err
	}
	return client, func() {
		_ = client.Close()
		end()
	}, nil
}

// Environment returns the addresses that the environment names, and sets what
// it says of authentication and TLS in opts. It returns nil when MEMCACHED_SERVERS
// is empty.
func Environment(getenv func(string) string, opts *memcached.Options) (addrs []string, err error) {
	servers := getenv("MEMCACHED_SERVERS")
	if strings.HasPrefix(servers, "memcached://") {
		return environmentURL(servers, opts)
	}
	if servers == "" {
		return nil, nil
	}
	addrs, opts.Weights, err = memcached.ParseServers(servers)
	if err != nil {
		return nil, fmt.Errorf("MEMCACHED_SERVERS: %w", err)
	}
	// Auto takes the strongest mechanism that a server offers. Without a user
	// Auth stays nil: a server without SASL refuses credentials.
	if username := getenv("MEMCACHED_USERNAME"); username != "" {
		opts.Auth = sasl.Auto(username, getenv("MEMCACHED_PASSWORD"))
	}
	opts.TLS, err = tlsConfig(getenv("MEMCACHED_TLS"))
	return addrs, err
}

// environmentURL is Environment for a URL, which says everything itself.
func environmentURL(rawURL string, opts *memcached.Options) (addrs []string, err error) {
	addrs, parsed, err := memcached.ParseURL(rawURL)
	if err != nil {
		return nil, fmt.Errorf("MEMCACHED_SERVERS: %w", err)
	}
	opts.Auth, opts.TLS, opts.Weights, opts.Prefix = parsed.Auth, parsed.TLS, parsed.Weights, parsed.Prefix
	if parsed.Timeout != 0 {
		opts.Timeout = parsed.Timeout
	}
	return addrs, nil
}

// tlsConfig returns what MEMCACHED_TLS stands for.
func tlsConfig(value string) (*tls.Config, error) {
	switch strings.ToLower(value) {
	case "", "0", "off", "false", "no":
		return nil, nil
	case "1", "on", "true", "yes":
		return &tls.Config{MinVersion: tls.VersionTLS12}, nil
	}
	certificates, err := os.ReadFile(value)
	if err != nil {
		return nil, fmt.Errorf("MEMCACHED_TLS is neither on or off nor a file with certificates: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(certificates) {
		return nil, errors.New("the file that MEMCACHED_TLS names has no certificates in PEM")
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, nil
}

// Embedded starts servers inside the process. They ask for authentication, as
// real ones should, and opts has the credentials afterwards. The caller closes
// them.
func Embedded(count int, opts *memcached.Options) ([]*memcachedtest.Server, error) {
	username, password := "example", rand.Text()
	var servers []*memcachedtest.Server
	for range count {
		server, err := memcachedtest.NewServer(&memcachedtest.Options{Users: map[string]string{username: password}})
		if err != nil {
			for _, started := range servers {
				started.Close()
			}
			return nil, err
		}
		servers = append(servers, server)
	}
	opts.Auth = sasl.Auto(username, password)
	return servers, nil
}
