package integration

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// RunVariable names the environment variable that says which run the containers
// belong to; each carries its value as RunLabel. Whoever sets it can remove
// what a run that was cut short has left.
const (
	RunVariable = "MEMCACHED_INTEGRATION_RUN"
	RunLabel    = "bmemcached-go.run"
)

// withEngine calls do with a client of the container engine.
func withEngine(ctx context.Context, do func(context.Context, client.APIClient) error) error {
	provider, err := testcontainers.NewDockerProvider(testcontainers.WithLogger(silent{}))
	if err != nil {
		return err
	}
	defer provider.Close()
	return do(ctx, provider.Client())
}

// engineHost returns the host on which the engine publishes ports.
func engineHost(tb testing.TB) string {
	tb.Helper()
	provider, err := testcontainers.NewDockerProvider(testcontainers.WithLogger(silent{}))
	if err != nil {
		tb.Fatalf("container engine: %v", err)
	}
	defer provider.Close()
	host, err := provider.DaemonHost(tb.Context())
	if err != nil {
		tb.Fatalf("container engine: %v", err)
	}
	if host == "localhost" {
		return "127.0.0.1" // ports may be published for IPv4 only
	}
	return host
}

// addPort publishes memcached's port at a fixed address, which a restart keeps,
// and returns that address.
func addPort(tb testing.TB, req *testcontainers.ContainerRequest) string {
	tb.Helper()
	host := engineHost(tb)
	port := strconv.Itoa(freePort(tb))
	from := netip.IPv4Unspecified()
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsLoopback() {
		from = ip // nobody else needs to see it
	}
	inside := network.MustParsePort("11211/tcp")
	req.ExposedPorts = []string{inside.String()}
	req.HostConfigModifier = func(host *container.HostConfig) {
		host.PortBindings = network.PortMap{inside: {{HostIP: from, HostPort: port}}}
	}
	return net.JoinHostPort(host, port)
}

// freePort returns a TCP port that nothing listens on. It lies below the range
// that systems give to outgoing connections: a client that redials a killed
// server could otherwise take the server's port, or connect to itself. Until tb
// ends no other test gets the port, in whichever process, while its server is
// dead: a listener at another port stands for it.
func freePort(tb testing.TB) int {
	tb.Helper()
	const first, ports = 24000, 6000
	for range 100 {
		port := first + rand.IntN(ports)
		guard, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port-ports)))
		if err != nil {
			continue
		}
		listener, err := net.Listen("tcp", net.JoinHostPort("", strconv.Itoa(port)))
		if err != nil {
			guard.Close()
			continue
		}
		listener.Close()
		tb.Cleanup(func() { guard.Close() })
		return port
	}
	tb.Fatalf("no free port between %d and %d", first, first+ports-1)
	return 0
}
