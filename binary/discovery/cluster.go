package discovery

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Cluster is what a configuration endpoint says about its cluster.
type Cluster struct {
	// Version grows whenever nodes are added or removed.
	Version uint64
	// Nodes are the cluster's servers, in the endpoint's order.
	Nodes []Node
}

// Node is a server of a Cluster. Host or Addr can be missing, but not both.
type Node struct {
	// Host is the DNS name, empty if the endpoint gave none.
	Host string
	// Addr is the IP address, invalid if the endpoint gave none.
	Addr netip.Addr
	// Port is where the server listens.
	Port uint16
}

// server returns the node's name and port, or its address if that is preferred
// or all there is.
func (n Node) server(preferAddr bool) string {
	host := n.Host
	if host == "" || preferAddr && n.Addr.IsValid() {
		host = n.Addr.String()
	}
	return net.JoinHostPort(host, strconv.Itoa(int(n.Port)))
}

const (
	// maxAnswer bounds what a configuration endpoint may send. A node takes
	// about a hundred bytes.
	maxAnswer = 256 << 10
	// maxHost is the length of the longest DNS name.
	maxHost = 253
)

var (
	errUnknown  = errors.New("the endpoint does not know the command")
	errNoConfig = errors.New("the endpoint has no cluster configuration: it is not one of a managed cluster")
	errTooLong  = fmt.Errorf("an answer of more than %d bytes", maxAnswer)
)

// readCluster reads the answer to a request for the configuration:
//
//	CONFIG cluster 0 LENGTH\r\n     (older engines: VALUE AmazonElastiCache:cluster 0 LENGTH)
//	VERSION\n
//	HOST|ADDRESS|PORT HOST|ADDRESS|PORT …\n
//	\r\n
//	END\r\n
//
// The lines say where things end. The length is not relied upon: emulators
// count it differently.
func readCluster(r *bufio.Reader) (Cluster, error) {
	lines := &lineReader{r: r, left: maxAnswer}
	if err := readHead(lines); err != nil {
		return Cluster{}, err
	}
	var body []string
	for {
		line, err := lines.next()
		if err != nil {
			return Cluster{}, err
		}
		if line == "END" {
			return parseCluster(body)
		}
		if line = strings.TrimSpace(line); line != "" {
			body = append(body, line)
		}
		if len(body) > 2 {
			return Cluster{}, errors.New("the configuration has more than two lines")
		}
	}
}

// readHead reads the first line, which says that a configuration follows.
func readHead(lines *lineReader) error {
	line, err := lines.next()
	if err != nil {
		return err
	}
	word, _, _ := strings.Cut(line, " ")
	switch word {
	case "CONFIG", "VALUE":
		return nil
	case "END":
		return errNoConfig
	case "ERROR":
		return errUnknown
	case "CLIENT_ERROR", "SERVER_ERROR":
		return fmt.Errorf("the endpoint says %q", cut(line))
	}
	return fmt.Errorf("the endpoint answers %q: want CONFIG", cut(line))
}

// parseCluster reads the lines of a configuration.
func parseCluster(lines []string) (c Cluster, err error) {
	if len(lines) == 0 {
		return c, errors.New("the configuration is empty")
	}
	if c.Version, err = strconv.ParseUint(lines[0], 10, 64); err != nil {
		return c, fmt.Errorf("the configuration has the version %q: want a number", cut(lines[0]))
	}
	for _, line := range lines[1:] {
		for _, field := range strings.Fields(line) {
			n, err := parseNode(field)
			if err != nil {
				return Cluster{}, err
			}
			c.Nodes = append(c.Nodes, n)
		}
	}
	return c, nil
}

// parseNode reads "host|address|port".
func parseNode(field string) (Node, error) {
	malformed := fmt.Errorf("the configuration has the node %q: want host|address|port", cut(field))
	parts := strings.Split(field, "|")
	if len(parts) != 3 {
		return Node{}, malformed
	}
	n := Node{Host: parts[0]}
	if len(n.Host) > maxHost || strings.ContainsFunc(n.Host, notOfHosts) {
		return Node{}, malformed
	}
	if parts[1] != "" {
		addr, err := netip.ParseAddr(parts[1])
		if err != nil {
			return Node{}, malformed
		}
		n.Addr = addr.Unmap()
	}
	port, err := strconv.ParseUint(parts[2], 10, 16)
	if err != nil || port == 0 || n.Host == "" && !n.Addr.IsValid() {
		return Node{}, malformed
	}
	n.Port = uint16(port)
	return n, nil
}

// notOfHosts are the bytes that names and IP addresses do not have.
func notOfHosts(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("-._:", r):
		return false
	}
	return true
}

// lineReader reads lines of a bounded total length.
type lineReader struct {
	r    *bufio.Reader
	left int
}

// next returns a line without its end, "\n" or "\r\n".
func (l *lineReader) next() (string, error) {
	var line []byte
	for {
		part, err := l.r.ReadSlice('\n')
		if l.left -= len(part); l.left < 0 {
			return "", errTooLong
		}
		line = append(line, part...)
		switch {
		case err == nil:
			return strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r"), nil
		case errors.Is(err, io.EOF):
			return "", fmt.Errorf("the answer ends early: %w", io.ErrUnexpectedEOF)
		case !errors.Is(err, bufio.ErrBufferFull):
			return "", err
		}
	}
}

// cut keeps error texts short.
func cut(s string) string { return s[:min(len(s), 100)] }
