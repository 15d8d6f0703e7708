package integration

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"
)

const (
	certificatePath = "/etc/memcached-cert.pem"
	keyPath         = "/etc/memcached-key.pem"
)

// addCertificate makes memcached serve TLS with a new certificate, and returns
// that in PEM and the configuration of a client that trusts it only.
func addCertificate(tb testing.TB, req *testcontainers.ContainerRequest) (certificate []byte, client *tls.Config) {
	tb.Helper()
	certificate, key, err := newCertificate(engineHost(tb))
	if err != nil {
		tb.Fatalf("certificate: %v", err)
	}
	req.Cmd = append(req.Cmd, "-Z", "-o", "ssl_chain_cert="+certificatePath+",ssl_key="+keyPath)
	req.Files = append(
		req.Files,
		// Readable by all: memcached reads them after it has given up root.
		testcontainers.ContainerFile{Reader: bytes.NewReader(certificate), ContainerFilePath: certificatePath, FileMode: 0o644},
		testcontainers.ContainerFile{Reader: bytes.NewReader(key), ContainerFilePath: keyPath, FileMode: 0o644},
	)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(certificate) {
		tb.Fatal("certificate: not accepted by its own pool")
	}
	return certificate, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// newCertificate returns a self-signed certificate for host and its key, both
// in PEM.
func newCertificate(host string) (certificate, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "memcached of a test"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA:                  true,
		BasicConstraintsValid: true,
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = append(template.IPAddresses, ip)
	} else {
		template.DNSNames = append(template.DNSNames, host)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return nil, nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), nil
}
