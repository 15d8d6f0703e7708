package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// connect returns a client as the settings say, which the caller closes.
func (t *tool) connect(ctx context.Context) (*memcached.Client, []string, error) {
	servers, err := t.serverList()
	if err != nil {
		return nil, nil, err
	}
	opts, err := t.options(ctx)
	if err != nil {
		return nil, nil, err
	}
	client, err := memcached.New(servers, opts)
	if err != nil {
		return nil, nil, usagef("%w", err)
	}
	return client, servers, nil
}

// serverList returns the servers that were named.
func (t *tool) serverList() ([]string, error) {
	list := t.servers
	if list == "" {
		list = t.sys.getenv("MEMCACHED_SERVERS")
	}
	if strings.Trim(list, ",; \t\r\n") == "" {
		return nil, usagef("no servers given: set --servers or MEMCACHED_SERVERS")
	}
	servers, weights, err := memcached.ParseServers(list)
	if err != nil {
		return nil, usagef("%s", inWords(strings.TrimPrefix(err.Error(), "memcached: ")))
	}
	for server := range t.weights {
		if !slices.ContainsFunc(servers, func(s string) bool { return withPort(s) == withPort(server) }) {
			return nil, usagef("--weight is for %q, which is none of the servers", server)
		}
	}
	for server, weight := range weights {
		if t.weights == nil {
			t.weights = map[string]int{}
		}
		if _, given := t.weights[server]; !given {
			t.weights[server] = weight
		}
	}
	return servers, nil
}

// withPort adds the default port to a server without one.
func withPort(server string) string {
	server = strings.TrimPrefix(server, "tcp://")
	if strings.HasPrefix(server, "/") || strings.Contains(strings.TrimSuffix(server, "]"), ":") && !strings.HasSuffix(server, "]") {
		return server
	}
	return server + ":11211"
}

// options turns the settings into those of a client, reads the files that they
// name and, if need be, asks for the password.
func (t *tool) options(ctx context.Context) (*memcached.Options, error) {
	if t.timeout <= 0 {
		return nil, usagef("--timeout is %v: want more than 0", t.timeout)
	}
	config, err := t.tlsConfig()
	if err != nil {
		return nil, err
	}
	who, err := t.credentials(ctx)
	if err != nil {
		return nil, err
	}
	distribution, err := findDistribution(t.distribution, who)
	if err != nil {
		return nil, err
	}
	opts := &memcached.Options{
		TLS: config, Timeout: t.timeout, MaxConns: 1,
		Distribution: distribution, Weights: t.weights, MaxItemSize: t.maxItemSize,
		Logger: slog.New(slog.DiscardHandler), // what goes wrong is said by the command
	}
	mechanism, err := findMechanism(t.mechanism, who)
	if err == nil && mechanism != nil {
		opts.Auth = &recorder{Mechanism: mechanism, record: &t.login}
	}
	return opts, err
}

// findMechanism returns the SASL mechanism of that name, or nil when there is
// nobody to authenticate.
func findMechanism(name string, who sasl.Credentials) (sasl.Mechanism, error) {
	known := map[string]func(username, password string) sasl.Mechanism{
		"": sasl.Auto, "auto": sasl.Auto, "plain": sasl.Plain, "cram-md5": sasl.CramMD5,
		"scram-sha-1": sasl.ScramSHA1, "scram-sha-256": sasl.ScramSHA256, "scram-sha-512": sasl.ScramSHA512,
	}
	begin, ok := known[strings.ToLower(name)]
	switch {
	case !ok:
		return nil, usagef("unknown mechanism %q: want auto, plain, scram-sha-512, scram-sha-256, scram-sha-1 or cram-md5", name)
	case who.Username == "":
		return nil, nil
	}
	return begin(who.Username, who.Password.Reveal()), nil
}

// tlsConfig returns nil when TLS is off.
func (t *tool) tlsConfig() (*tls.Config, error) {
	if err := t.tlsFromEnvironment(); err != nil {
		return nil, err
	}
	asked := t.ca != "" || t.cert != "" || t.serverName != "" || t.insecure
	switch {
	case asked && t.tlsGiven && !t.tls:
		return nil, usagef("--tls=false excludes --ca, --cert, --server-name and --insecure")
	case asked:
		t.tls = true
	}
	switch {
	case t.key != "" && t.cert == "":
		return nil, usagef("--key needs --cert")
	case !t.tls:
		return nil, nil
	}
	if t.insecure {
		t.warn("--insecure: the servers' certificates are not checked; whoever is in between can read and change everything, the password included")
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.serverName, InsecureSkipVerify: t.insecure}
	var err error
	if config.RootCAs, err = readRoots(t.ca); err != nil {
		return nil, err
	}
	if t.cert != "" {
		key := t.key
		if key == "" {
			key = t.cert
		}
		pair, err := tls.LoadX509KeyPair(t.cert, key)
		if err != nil {
			return nil, localf("client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// tlsFromEnvironment reads MEMCACHED_TLS unless flags say something of TLS.
func (t *tool) tlsFromEnvironment() error {
	if t.tlsGiven || t.ca != "" {
		return nil
	}
	switch value := t.sys.getenv("MEMCACHED_TLS"); {
	case slices.Contains([]string{"", "0", "off", "false", "no"}, strings.ToLower(value)):
	case slices.Contains([]string{"1", "on", "true", "yes"}, strings.ToLower(value)):
		t.tls = true
	default:
		if _, err := os.Stat(value); err != nil {
			return usagef("MEMCACHED_TLS is neither on or off nor a file with certificates: %w", err)
		}
		t.ca = value
	}
	return nil
}

// readRoots returns the certificates of a file, or nil, which stands for the
// system's, when there is none.
func readRoots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	certificates, err := os.ReadFile(path)
	if err != nil {
		return nil, localf("certificates to trust: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(certificates) {
		return nil, localf("certificates to trust: %s has none in PEM", path)
	}
	return roots, nil
}
