package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

const (
	username = "app"
	password = "corr3ct-h0rse"
	wrong    = "b4ttery-st4ple"
)

// shell runs the program in the process. Its zero value has no environment, no
// input and no terminal.
type shell struct {
	t        *testing.T
	env      map[string]string
	stdin    io.Reader
	terminal bool // standard output is one
	ask      func(context.Context, string) (string, error)
}

// outcome is what a run came to.
type outcome struct {
	t              *testing.T
	args           []string
	code           int
	stdout, stderr string
}

func (s shell) run(args ...string) outcome {
	s.t.Helper()
	return s.runContext(s.t.Context(), args...)
}

// runContext runs the program and fails the test if a password is printed.
func (s shell) runContext(ctx context.Context, args ...string) outcome {
	s.t.Helper()
	var stdout, stderr bytes.Buffer
	sys := &system{
		getenv: func(name string) string { return s.env[name] },
		stdin:  s.stdin, stdout: &stdout, stderr: &stderr,
		isTerminal: func(stream any) bool { return s.terminal && stream == any(&stdout) },
		ask:        s.ask,
	}
	if sys.stdin == nil {
		sys.stdin = strings.NewReader("")
	}
	if sys.ask == nil {
		sys.ask = func(context.Context, string) (string, error) { return "", errNoTerminal }
	}
	o := outcome{s.t, args, run(ctx, sys, args), stdout.String(), stderr.String()}
	for _, secret := range []string{password, wrong} {
		if strings.Contains(o.stdout+o.stderr, secret) {
			s.t.Errorf("bmc %q printed a password:\n%s%s", args, o.stdout, o.stderr)
		}
	}
	return o
}

// want checks the exit code and the whole output.
func (o outcome) want(code int, stdout string) outcome {
	o.t.Helper()
	if o.code != code || o.stdout != stdout {
		o.t.Errorf("bmc %q = %d, printed %q, want %d, %q; standard error: %s", o.args, o.code, o.stdout, code, stdout, o.stderr)
	}
	return o
}

// wantError checks the exit code and that standard error has every one of words.
func (o outcome) wantError(code int, words ...string) outcome {
	o.t.Helper()
	if o.code != code {
		o.t.Errorf("bmc %q = %d, want %d; it printed %s%s", o.args, o.code, code, o.stdout, o.stderr)
	}
	for _, word := range words {
		if !strings.Contains(o.stderr, word) {
			o.t.Errorf("bmc %q wrote to standard error %q, want %q in it", o.args, o.stderr, word)
		}
	}
	return o
}

// decode reads the JSON of standard output.
func (o outcome) decode(v any) {
	o.t.Helper()
	if err := json.Unmarshal([]byte(o.stdout), v); err != nil {
		o.t.Fatalf("bmc %q printed %q: %v", o.args, o.stdout, err)
	}
}

// secured starts a server that demands SASL, and a shell that has what it takes.
func secured(t *testing.T, opts *memcachedtest.Options) (*memcachedtest.Server, shell) {
	t.Helper()
	if opts == nil {
		opts = &memcachedtest.Options{}
	}
	opts.Users = map[string]string{username: password}
	server := memcachedtest.Start(t, opts)
	return server, shell{t: t, env: map[string]string{
		"MEMCACHED_SERVERS": server.Addr(), "MEMCACHED_USERNAME": username, "MEMCACHED_PASSWORD": password,
	}}
}

// open starts a server that lets everybody in.
func open(t *testing.T, opts *memcachedtest.Options) (*memcachedtest.Server, shell) {
	t.Helper()
	server := memcachedtest.Start(t, opts)
	return server, shell{t: t, env: map[string]string{"MEMCACHED_SERVERS": server.Addr()}}
}

// certificate is a certificate for 127.0.0.1 that signs itself, for servers and
// for clients.
type certificate struct {
	pair  tls.Certificate
	pool  *x509.CertPool
	file  string // the certificate
	key   string // its private key
	both  string // both in one
	ended time.Time
}

func newCertificate(t *testing.T, notAfter time.Time) certificate {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bmc"},
		NotBefore: time.Unix(0, 0), NotAfter: notAfter,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true, IsCA: true,
		DNSNames: []string{"cache.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	secret := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	c := certificate{pool: x509.NewCertPool(), ended: notAfter}
	c.pool.AppendCertsFromPEM(public)
	if c.pair, err = tls.X509KeyPair(public, secret); err != nil {
		t.Fatal(err)
	}
	c.file, c.key, c.both = write(t, public, 0o600), write(t, secret, 0o600), write(t, append(public, secret...), 0o600)
	return c
}

// encrypted is secured with TLS.
func encrypted(t *testing.T, notAfter time.Time) (certificate, shell) {
	t.Helper()
	c := newCertificate(t, notAfter)
	_, s := secured(t, &memcachedtest.Options{TLS: &tls.Config{Certificates: []tls.Certificate{c.pair}}})
	return c, s
}

func inYears(n int) time.Time { return time.Now().AddDate(n, 0, 0) }

// write makes a file with that content and mode and returns its path.
func write(t *testing.T, content []byte, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, content, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask is
		t.Fatal(err)
	}
	return path
}

// serverConfig is that of a server which wants this certificate of its clients.
func (c certificate) serverConfig() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c.pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: c.pool}
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }
