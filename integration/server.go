package integration

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/testcontainers/testcontainers-go"
)

// Options says what memcached to launch. The zero value is memcached with the
// binary protocol on a TCP port, without SASL and TLS.
type Options struct {
	Users      map[string]string // SASL users and their passwords; none: SASL is off
	Mechanisms []string          // what SASL offers; nil: PLAIN, SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5
	TLS        bool              // serve TLS only, with a certificate made for this server
	UnixSocket bool              // listen on a Unix socket instead of TCP
	Text       Text              // what speaks the text protocol only; "": the binary protocol
	Program    Program           // which server; "": memcached of Debian 12
	Args       []string          // further memcached arguments, such as "-I", "2m"
}

// A Program is a server that speaks the protocol.
type Program string

const (
	Memcached       Program = ""                 // 1.6.18, as Debian 12 ships it
	NewestMemcached Program = "newest memcached" // of Debian's next release: 1.6.45 or newer
	Yrmcds          Program = "yrmcds"           // 1.1.9; only Args of its own, no SASL and TLS
)

// Text is a way to serve the text protocol only.
type Text string

const (
	TextOnly     Text = "ascii"    // -B ascii
	TextPassword Text = "password" // -Y, with a password file
	TextProxy    Text = "proxy"    // the proxy of NewestMemcached, before a memcached of its own
)

// Server is one memcached in a container of its own. The test that started it
// owns it: its methods fail that test, and must be called from its goroutine.
type Server struct {
	tb          testing.TB
	container   *testcontainers.DockerContainer
	addr        string
	text        Text
	tls         *tls.Config
	certificate []byte
}

// Start launches memcached as opts says (nil: the zero Options), waits until it
// answers, and terminates it when the test ends. It fails the test when no
// container engine answers, and skips it when MEMCACHED_INTEGRATION is "off".
func Start(tb testing.TB, opts *Options) *Server {
	tb.Helper()
	if os.Getenv("MEMCACHED_INTEGRATION") == "off" {
		tb.Skip("MEMCACHED_INTEGRATION=off")
	}
	if opts == nil {
		opts = &Options{}
	}
	s := &Server{tb: tb, text: opts.Text}
	for range 5 {
		req := s.prepare(opts)
		err := s.launch(req)
		if err == nil {
			s.waitReady(startLimit)
			return s
		}
		if !strings.Contains(err.Error(), "port is already allocated") && !strings.Contains(err.Error(), "address already in use") {
			tb.Fatalf("memcached container: %v", err)
		}
	}
	tb.Fatal("memcached container: every port that was free was taken the next moment")
	return nil
}

// prepare says what container to launch, and sets where it will listen.
func (s *Server) prepare(opts *Options) *testcontainers.ContainerRequest {
	s.tb.Helper()
	req := request(s.tb, opts)
	if opts.TLS {
		s.certificate, s.tls = addCertificate(s.tb, req)
	}
	if opts.UnixSocket {
		s.addr = addSocket(s.tb, req)
	} else {
		s.addr = addPort(s.tb, req)
	}
	return req
}

// request translates opts into what every container has, however it listens.
func request(tb testing.TB, opts *Options) *testcontainers.ContainerRequest {
	req := &testcontainers.ContainerRequest{
		Image:  image(tb, opts.Program),
		Env:    map[string]string{},
		Labels: map[string]string{},
		Cmd:    slices.Clone(opts.Args),
	}
	if run := os.Getenv(RunVariable); run != "" {
		req.Labels[RunLabel] = run
	}
	if opts.Program == Yrmcds {
		req.Env["SERVER"] = "yrmcdsd"
	}
	switch opts.Text {
	case TextOnly:
		req.Cmd = append(req.Cmd, "-B", "ascii")
	case TextPassword:
		req.Env["TEXT_USERS"] = "app:secret"
	case TextProxy:
		req.Env["PROXY"] = "yes"
	}
	var users []string
	for name, password := range opts.Users {
		users = append(users, name+":"+password)
	}
	if users != nil {
		req.Env["SASL_USERS"] = strings.Join(users, "\n")
		req.Env["SASL_MECHANISMS"] = strings.Join(opts.Mechanisms, " ")
	}
	return req
}

// addSocket makes memcached listen on a Unix socket in a folder that it shares
// with the test, and returns the socket's path.
func addSocket(tb testing.TB, req *testcontainers.ContainerRequest) string {
	if runtime.GOOS != "linux" {
		tb.Skip("a Unix socket does not leave the virtual machine of the container engine")
	}
	// Not TempDir: with a test's name in it the path outgrows a socket's 108 bytes.
	dir, err := os.MkdirTemp("", "memcached")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	req.Env["SOCKET_DIR"] = "/sockets"
	req.Cmd = append(req.Cmd, "-s", "/sockets/memcached.sock", "-a", "0777")
	req.HostConfigModifier = func(host *container.HostConfig) {
		host.Binds = append(host.Binds, dir+":/sockets")
	}
	return filepath.Join(dir, "memcached.sock")
}

// launch runs the container.
func (s *Server) launch(req *testcontainers.ContainerRequest) error {
	s.tb.Helper()
	generic := testcontainers.GenericContainerRequest{ContainerRequest: *req, Started: true}
	generic.Logger = silent{}
	started, err := testcontainers.GenericContainer(s.tb.Context(), generic)
	testcontainers.CleanupContainer(s.tb, started, testcontainers.StopTimeout(0))
	if err != nil {
		return err
	}
	s.container = started.(*testcontainers.DockerContainer)
	s.tb.Cleanup(s.showLogs)
	return nil
}

// Addr returns the address for memcached.New: "host:port", or the path of the
// Unix socket. It stays the same when the server restarts.
func (s *Server) Addr() string { return s.addr }

// TLSConfig returns what a client needs to trust this server, or nil when it
// does not serve TLS. The caller owns the copy.
func (s *Server) TLSConfig() *tls.Config { return s.tls.Clone() }

// Certificate returns the certificate of a server that serves TLS, in PEM, for
// clients outside the process. The caller must not change it.
func (s *Server) Certificate() []byte { return s.certificate }

// startLimit bounds how long a launched memcached may take to answer.
const startLimit = 30 * time.Second
