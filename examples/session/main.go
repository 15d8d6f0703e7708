// Command session shows logins whose sessions are in memcached, with the three
// libraries that Go sites use for sessions:
//
//	cd examples && go run ./session
//
// It serves three small sites (gin.go, gorilla.go, scs.go), walks through them
// as browsers would, and prints what happens. With scs it ends before the
// revocation: scs knows no users.
//
// It runs on the memcached that MEMCACHED_SERVERS names (several are separated
// by commas), with MEMCACHED_USERNAME, MEMCACHED_PASSWORD and MEMCACHED_TLS, or
// on one inside the process.
package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/examples/internal/connect"
)

func main() {
	if err := run(os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(getenv func(string) string, out io.Writer) error {
	client, stop, err := connect.Client(getenv, nil)
	if err != nil {
		return err
	}
	defer stop()

	// Keep the keys where all processes of the site find them, and secret: who
	// has them can make sessions.
	authKey, encryptionKey := make([]byte, 32), make([]byte, 32)
	_, _ = rand.Read(authKey)
	_, _ = rand.Read(encryptionKey)

	for _, site := range []struct {
		name string
		make func(client *memcached.Client, keys ...[]byte) (http.Handler, error)
	}{
		{"gin-contrib/sessions", ginSite},
		{"gorilla/sessions", gorillaSite},
		{"scs", scsSite},
	} {
		fmt.Fprintf(out, "%s\n", site.name)
		handler, err := site.make(client, authKey, encryptionKey)
		if err != nil {
			return fmt.Errorf("%s: %w", site.name, err)
		}
		if err := tour(handler, out); err != nil {
			return fmt.Errorf("%s: %w", site.name, err)
		}
	}
	return nil
}
