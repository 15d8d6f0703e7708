package main

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

// nodes is how many servers run inside the process when the environment names
// none: enough to see one fail and the others carry on.
const nodes = 3

// A backend is the memcached that the site uses: servers inside the process, or
// those of the environment.
type backend struct {
	addrs    []string
	options  memcached.Options
	embedded []*memcachedtest.Server // in the order of addrs; nil: real servers
	stopped  []bool                  // guarded by site.controls
}

// openBackend reads the environment. The caller closes the backend.
func openBackend(getenv func(string) string) (*backend, error) {
	if getenv("MEMCACHED_SERVERS") == "" {
		return startBackend()
	}
	b := &backend{}
	for addr := range strings.SplitSeq(getenv("MEMCACHED_SERVERS"), ",") {
		if addr = strings.TrimSpace(addr); addr != "" {
			b.addrs = append(b.addrs, addr)
		}
	}
	if username := getenv("MEMCACHED_USERNAME"); username != "" {
		b.options.Auth = sasl.Auto(username, getenv("MEMCACHED_PASSWORD"))
	}
	var err error
	b.options.TLS, err = tlsConfig(getenv("MEMCACHED_TLS"))
	return b, err
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
		return nil, fmt.Errorf("demo: MEMCACHED_TLS is neither on or off nor a file with certificates: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(certificates) {
		return nil, errors.New("demo: the file that MEMCACHED_TLS names has no certificates in PEM")
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, nil
}

// startBackend starts servers in the process. They ask for authentication, as
// real ones should.
func startBackend() (*backend, error) {
	password := rand.Text()
	b := &backend{
		options: memcached.Options{Auth: sasl.Auto("demo", password)},
		stopped: make([]bool, nodes),
	}
	for range nodes {
		server, err := memcachedtest.NewServer(&memcachedtest.Options{Users: map[string]string{"demo": password}})
		if err != nil {
			b.close()
			return nil, fmt.Errorf("demo: %w", err)
		}
		b.embedded = append(b.embedded, server)
		b.addrs = append(b.addrs, server.Addr())
	}
	return b, nil
}

// stop stops a server of the process: it answers no more.
func (b *backend) stop(i int) {
	b.embedded[i].Stop()
	b.stopped[i] = true
}

// restart starts a server of the process again, empty.
func (b *backend) restart(i int) error {
	if err := b.embedded[i].Restart(); err != nil {
		return err
	}
	b.stopped[i] = false
	return nil
}

// close ends the servers of the process.
func (b *backend) close() {
	for _, server := range b.embedded {
		server.Close()
	}
}

// String says where the memcached is.
func (b *backend) String() string {
	where := strings.Join(b.addrs, ", ")
	if b.embedded != nil {
		where += " (inside this process)"
	}
	return where
}
