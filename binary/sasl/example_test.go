package sasl_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/bmemcached/bmemcached-go/binary/internal/saslserver"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// The strongest mechanism that the server lists is taken, and a password never
// goes over a network in the clear unasked.
func ExampleAuto() {
	auth := sasl.Auto("web", "correct horse")
	for _, server := range []sasl.Server{
		{Addr: "cache-1:11211", Mechanisms: []string{"PLAIN", "SCRAM-SHA-256"}},
		{Addr: "/run/memcached.sock", Mechanisms: []string{"PLAIN"}, Secure: true},
		{Addr: "cache-2:11211", Mechanisms: []string{"PLAIN"}},
	} {
		session, _, err := auth.Start(context.Background(), server)
		if err != nil {
			fmt.Println(server.Addr, err)
			continue
		}
		fmt.Println(server.Addr, sasl.NameOf(auth, session))
	}
	// Output:
	// cache-1:11211 SCRAM-SHA-256
	// /run/memcached.sock PLAIN
	// cache-2:11211 sasl: the server offers PLAIN, and PLAIN would send the password over an unencrypted connection: use TLS, or choose sasl.Plain explicitly
}

// Credentials that rotate are asked for at every connect.
func ExampleAutoFunc() {
	vault := func(context.Context) (sasl.Credentials, error) {
		return sasl.Credentials{Username: "web", Password: sasl.NewSecret("of today")}, nil
	}
	auth := sasl.AutoFunc(vault)
	_, initial, err := auth.Start(context.Background(), sasl.Server{Secure: true, Mechanisms: []string{"PLAIN"}})
	fmt.Printf("%q %v\n", initial, err)
	// Output: "\x00web\x00of today" <nil>
}

// For servers that check nothing but PLAIN, outside TLS: an explicit choice.
func ExamplePlain() {
	auth := sasl.Plain("web", "correct horse")
	_, initial, err := auth.Start(context.Background(), sasl.Server{Addr: "cache-1:11211"})
	fmt.Printf("%s %q %v\n", auth.Name(), initial, err)
	// Output: PLAIN "\x00web\x00correct horse" <nil>
}

// One exchange from beginning to end, as a client plays it.
func ExampleScramSHA256() {
	auth := sasl.ScramSHA256("web", "correct horse")
	server, err := saslserver.New(auth.Name(), func(user string) (string, bool) {
		return "correct horse", user == "web"
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	session, message, err := auth.Start(context.Background(), sasl.Server{Addr: "cache-1:11211"})
	for done := false; err == nil && !done; {
		var challenge []byte
		challenge, done, err = server.Next(message) // to the server and back
		if err == nil && !done {
			message, err = session.Next(challenge)
		}
	}
	if err == nil {
		err = session.Done() // the server has proved itself, too
	}
	fmt.Println("authenticated:", err == nil)
	// Output: authenticated: true
}

// Credentials can be logged.
func ExampleCredentials() {
	c := sasl.Credentials{Username: "web", Password: sasl.NewSecret("correct horse")}
	fmt.Printf("%v\n", c)
	slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	})).Info("connecting", "as", c)
	// Output:
	// {Identity:"" Username:"web" Password:(hidden)}
	// level=INFO msg=connecting as.identity="" as.username=web as.password=(hidden)
}
