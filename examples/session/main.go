// Command session shows logins whose sessions are in memcached, with the three
// libraries that Go sites use for sessions:
//
//	cd examples && go run ./session
//
// It serves three small sites (gin.go, gorilla.go, scs.go), walks through them
// as browsers would, and prints what happens. It uses the servers that
// MEMCACHED_SERVERS names (several are separated by commas), with
// MEMCACHED_USERNAME and MEMCACHED_PASSWORD, or starts a server of its own when
// there are none.
package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

func main() {
	if err := run(os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(getenv func(string) string, out io.Writer) error {
	servers, auth, stop, err := servers(getenv)
	if err != nil {
		return err
	}
	defer stop()
	client, err := memcached.New(servers, &memcached.Options{Auth: auth})
	if err != nil {
		return err
	}
	defer client.Close()

	// Keep the keys where all processes of the site find them, and secret: who
	// has them can make cookies.
	authKey, encryptionKey := make([]byte, 32), make([]byte, 32)
	_, _ = rand.Read(authKey)
	_, _ = rand.Read(encryptionKey)

	for _, site := range []struct {
		name    string
		handler http.Handler
	}{
		{"gin-contrib/sessions", ginSite(client, authKey, encryptionKey)},
		{"gorilla/sessions", gorillaSite(client, authKey, encryptionKey)},
		{"scs", scsSite(client)},
	} {
		fmt.Fprintf(out, "%s\n", site.name)
		if err := tour(site.handler, out); err != nil {
			return fmt.Errorf("%s: %w", site.name, err)
		}
	}
	return nil
}

// servers returns what the environment names, or the address of a server inside
// this process, which stop ends.
func servers(getenv func(string) string) (addrs []string, auth sasl.Mechanism, stop func(), err error) {
	if env := getenv("MEMCACHED_SERVERS"); env != "" {
		if username := getenv("MEMCACHED_USERNAME"); username != "" {
			auth = sasl.Auto(username, getenv("MEMCACHED_PASSWORD"))
		}
		return strings.Split(env, ","), auth, func() {}, nil
	}
	password := rand.Text()
	server, err := memcachedtest.NewServer(&memcachedtest.Options{Users: map[string]string{"session": password}})
	if err != nil {
		return nil, nil, nil, err
	}
	return []string{server.Addr()}, sasl.Auto("session", password), server.Close, nil
}
