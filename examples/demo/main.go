// Command demo is a small magazine about lighthouses that keeps its pages, its
// computed values and its sessions in memcached:
//
//	make demo
//
// It runs on memcached servers inside the process, which its status page stops
// and restarts. The environment points it at real ones:
//
//	MEMCACHED_SERVERS    addresses, separated by commas
//	MEMCACHED_USERNAME   for servers that ask for authentication (SASL)
//	MEMCACHED_PASSWORD
//	MEMCACHED_TLS        on: encrypt; a file: encrypt, and trust its certificates
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary"
)

func main() {
	gin.SetMode(gin.ReleaseMode)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait for requests under way
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves the site until ctx ends, and then finishes the requests under way.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "127.0.0.1:8080", "address to serve the site at; port 0: a free one")
	if err := flags.Parse(args); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	slog.SetDefault(log)

	listener, err := listen(ctx, *addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	backend, err := openBackend(getenv)
	if err != nil {
		return err
	}
	defer backend.close()
	site, err := newSite(backend, log)
	if err != nil {
		return err
	}
	defer site.close()

	fmt.Fprintf(stdout, "The Lamp Room: http://%s/\n", listener.Addr())
	fmt.Fprintf(stdout, "memcached:     %s\n", backend)
	if err := site.client.Ping(ctx); err != nil {
		fmt.Fprintf(stdout, "%s\n  %v\n", advice(err), err)
	}
	return serve(ctx, listener, site.handler())
}

// advice says what to do about memcached that cannot be used.
func advice(err error) string {
	if errors.Is(err, memcached.ErrAuth) {
		return "The login does not work: check MEMCACHED_USERNAME and MEMCACHED_PASSWORD. The site runs without memcached."
	}
	return "It does not answer. The site runs without memcached until it does."
}

// listen takes the address of the site.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("demo: another program has %s: end it, or choose another address (cd examples && go run ./demo -addr 127.0.0.1:0 takes a free port)", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	return listener, nil
}
