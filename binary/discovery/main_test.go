package discovery_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain fails when goroutines are left over at the end: watchers that are
// closed must leave none.
func TestMain(m *testing.M) {
	code := m.Run()
	for deadline := time.Now().Add(5 * time.Second); code == 0; time.Sleep(10 * time.Millisecond) {
		b := make([]byte, 1<<20)
		stacks := string(b[:runtime.Stack(b, true)])
		if n := strings.Count(stacks, "binary/discovery.") + strings.Count(stacks, "binary."); n == 0 {
			break
		} else if time.Now().After(deadline) {
			fmt.Fprintf(os.Stderr, "goroutines are left over:\n\n%s\n", stacks)
			code = 1
		}
	}
	os.Exit(code)
}

// exampleCluster dials a configuration endpoint of a cluster with one node.
func exampleCluster(config *tls.Config, node string) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			conn := tls.Server(far, config)
			defer conn.Close()
			_, _ = bufio.NewReader(conn).ReadString('\n')
			_, port, _ := net.SplitHostPort(node)
			body := fmt.Sprintf("1\nlocalhost|127.0.0.1|%s\n", port)
			fmt.Fprintf(conn, "CONFIG cluster 0 %d\r\n%s\r\nEND\r\n", len(body), body)
		}()
		return near, nil
	}
}
