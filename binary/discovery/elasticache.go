package discovery

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ElastiCache is a Resolver that asks the configuration endpoint of an Amazon
// ElastiCache cluster, or the discovery endpoint of Google Memorystore, which
// speaks the same: "config get cluster" in the text protocol on a connection of
// its own, and "get AmazonElastiCache:cluster" for engines before 1.4.14, which
// do not know that. Every node of a cluster can be asked too.
//
// Its fields must not be changed once it is in use, and it must not be copied.
type ElastiCache struct {
	// Endpoint is "host" or "host:port"; the default port is 11211.
	Endpoint string
	// TLS encrypts the connection, as clusters with encryption in transit
	// demand. An empty ServerName is filled with the endpoint's host. nil: no
	// TLS.
	TLS *tls.Config
	// Domain is what the nodes' names must be in; others are an error. With TLS
	// of the client and without TLS here it says which names are to be believed.
	// "": any.
	Domain string
	// DialContext opens connections. Its network is "tcp". nil: net.Dialer.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// Addresses uses the nodes' IP addresses. false: the nodes' names, which
	// stay when a node is replaced, and which TLS certificates name.
	Addresses bool

	mu     sync.Mutex // guards what follows
	newest uint64     // the highest version that was accepted
	older  int        // how many answers in a row had a lower one
}

const (
	// exchangeLimit ends an exchange whose context has no earlier deadline.
	exchangeLimit = 10 * time.Second
	// believeOlder is how many answers in a row must have a lower version
	// before it is taken as that of a cluster that was made anew.
	believeOlder = 3
)

// Servers asks for the configuration and returns the nodes as "host:port".
//
// An answer of a lower version than one before comes from a node that lags
// behind. It is an error, unless it comes three times in a row: then the cluster
// was made anew.
func (e *ElastiCache) Servers(ctx context.Context) ([]string, error) {
	c, err := e.Cluster(ctx)
	if err != nil {
		return nil, err
	}
	if err := e.accept(c.Version); err != nil {
		return nil, e.wrap(err)
	}
	servers := make([]string, 0, len(c.Nodes))
	for _, n := range c.Nodes {
		servers = append(servers, n.server(e.Addresses))
	}
	if err := checkDomain(servers, e.Domain); err != nil {
		return nil, e.wrap(err)
	}
	return servers, nil
}

// accept decides whether a configuration of a version is to be used.
func (e *ElastiCache) accept(version uint64) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if version < e.newest {
		if e.older++; e.older < believeOlder {
			return fmt.Errorf("the configuration has version %d after version %d", version, e.newest)
		}
	}
	e.newest, e.older = version, 0
	return nil
}

// Cluster asks for the configuration. It gives up after 10 s if ctx does not end
// before.
func (e *ElastiCache) Cluster(ctx context.Context) (Cluster, error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeLimit)
	defer cancel()
	c, err := e.ask(ctx)
	if err != nil {
		if ctx.Err() != nil { // not what it did to the connection
			err = ctx.Err()
		}
		return Cluster{}, e.wrap(err)
	}
	return c, nil
}

func (e *ElastiCache) wrap(err error) error {
	return fmt.Errorf("discovery: configuration endpoint %s: %w", e.Endpoint, err)
}

// ask connects and carries out the exchange.
func (e *ElastiCache) ask(ctx context.Context) (Cluster, error) {
	host, port, err := splitEndpoint(e.Endpoint)
	if err != nil {
		return Cluster{}, err
	}
	dial := e.DialContext
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	conn, err := dial(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return Cluster{}, err
	}
	defer conn.Close()
	raw := conn
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if e.TLS != nil {
		if conn, err = encrypt(ctx, conn, e.TLS, host); err != nil {
			return Cluster{}, err
		}
	}
	return exchange(conn)
}

func encrypt(ctx context.Context, conn net.Conn, config *tls.Config, host string) (net.Conn, error) {
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName = host
	}
	t := tls.Client(conn, config)
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return t, nil
}

// exchange asks for the configuration, in the old way if the endpoint does not
// know the new one.
func exchange(conn net.Conn) (Cluster, error) {
	r := bufio.NewReader(conn)
	for _, command := range []string{"config get cluster\r\n", "get AmazonElastiCache:cluster\r\n"} {
		if _, err := io.WriteString(conn, command); err != nil {
			return Cluster{}, err
		}
		c, err := readCluster(r)
		if !errors.Is(err, errUnknown) {
			return c, err
		}
	}
	return Cluster{}, errUnknown
}

// splitEndpoint reads "host", "host:port" and "[::1]:port".
func splitEndpoint(s string) (host, port string, err error) {
	host, port = s, strconv.Itoa(defaultPort)
	if strings.Contains(s, ":") {
		if host, port, err = net.SplitHostPort(s); err != nil {
			return "", "", errors.New(`want "host" or "host:port"`)
		}
	}
	if n, err := strconv.ParseUint(port, 10, 16); host == "" || err != nil || n == 0 {
		return "", "", errors.New(`want "host" or "host:port" with a port from 1 to 65535`)
	}
	return host, port, nil
}
