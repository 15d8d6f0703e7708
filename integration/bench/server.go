package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is the memcached under the measurements, a process of its own.
type server struct {
	addrs   []string // the same store under each address
	command string   // how it was started, for the report
	version string
	stop    func() error
}

// serverOptions says where a server comes from.
type serverOptions struct {
	addr  string // of one that runs already; empty: start one
	image string // container image where no memcached is on PATH
}

// serverThreads is how many threads memcached has where a row does not say
// otherwise: its default.
const serverThreads = 4

// startServer runs memcached with that many listening addresses, from PATH or,
// where there is none, from a container image.
func startServer(ctx context.Context, opts serverOptions, listeners int) (*server, error) {
	if opts.addr != "" {
		s := &server{addrs: []string{opts.addr}, command: "(running already)", stop: func() error { return nil }}
		return s, s.await(ctx)
	}
	if path, err := exec.LookPath("memcached"); err == nil {
		return startBinary(ctx, anywhere, path, serverThreads, listeners)
	}
	if path, err := exec.LookPath("docker"); err == nil {
		return startContainer(ctx, path, opts.image)
	}
	return nil, errors.New("bench: neither memcached nor docker is on PATH; install one, or give -server host:port")
}

// startBinary runs memcached from PATH on free ports of the loopback.
func startBinary(ctx context.Context, on cpus, path string, threads, listeners int) (*server, error) {
	addrs, err := freeAddrs(listeners)
	if err != nil {
		return nil, err
	}
	args := []string{"-t", strconv.Itoa(threads), "-m", "1024", "-c", "4096"}
	shown := "memcached " + strings.Join(args, " ") + " -l 127.0.0.1"
	if listeners == 1 {
		_, port, _ := net.SplitHostPort(addrs[0])
		args = append(args, "-l", "127.0.0.1", "-p", port)
	} else {
		args = append(args, "-l", strings.Join(addrs, ","))
	}
	if os.Getuid() == 0 {
		args = append(args, "-u", "nobody")
		shown += " -u nobody"
	}
	var stderr bytes.Buffer
	cmd := on.command(append([]string{path}, args...)...)
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("bench: starting memcached: %w", err)
	}
	s := &server{addrs: addrs, command: shown, stop: func() error { return endProcess(cmd) }}
	if err := s.await(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("bench: memcached does not answer: %w: %s", err, stderr.String()), s.stop())
	}
	return s, nil
}

// endProcess asks a process to end and waits for it.
func endProcess(cmd *exec.Cmd) error {
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return err
	}
	return nil
}

// startContainer runs memcached from an image, published on a free port.
func startContainer(ctx context.Context, docker, image string) (*server, error) {
	args := []string{
		"run", "--rm", "--detach", "--publish", "127.0.0.1::11211", image,
		"memcached", "-t", strconv.Itoa(serverThreads), "-m", "1024", "-c", "4096", "-u", "nobody",
	}
	id, err := exec.CommandContext(ctx, docker, args...).Output()
	if err != nil {
		return nil, fmt.Errorf("bench: docker run %s: %w", image, explain(err))
	}
	container := strings.TrimSpace(string(id))
	stop := func() error { return exec.Command(docker, "stop", "--time", "2", container).Run() }
	published, err := exec.CommandContext(ctx, docker, "port", container, "11211/tcp").Output()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("bench: docker port: %w", explain(err)), stop())
	}
	addr, _, _ := strings.Cut(strings.TrimSpace(string(published)), "\n")
	s := &server{addrs: []string{addr}, command: image + " memcached -t 4 -m 1024 -c 4096 (container, published port)", stop: stop}
	if err := s.await(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("bench: memcached in a container does not answer: %w", err), stop())
	}
	return s, nil
}

// explain adds what a command said on its standard error.
func explain(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
	}
	return err
}

// await waits until the server answers on its first address, and notes its
// version.
func (s *server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		version, err := askVersion(ctx, s.addrs[0])
		if err == nil {
			s.version = version
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// askVersion speaks the text protocol.
func askVersion(ctx context.Context, addr string) (string, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, "version\r\nquit\r\n"); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(io.LimitReader(conn, 128))
	if err != nil {
		return "", err
	}
	version, ok := strings.CutPrefix(strings.TrimSpace(string(answer)), "VERSION ")
	if !ok {
		return "", fmt.Errorf("bench: unexpected answer %q", answer)
	}
	return version, nil
}

// freeAddrs finds n free ports on the loopback.
func freeAddrs(n int) ([]string, error) {
	addrs := make([]string, 0, n)
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // all stay open until the last is found: no port comes twice
		addrs = append(addrs, "127.0.0.1:"+strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	}
	return addrs, nil
}
