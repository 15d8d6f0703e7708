// Package integration launches real memcached servers in containers, with any
// mix of SASL, TLS, Unix socket and command line arguments, and breaks them on
// request: stopped, killed, paused, restarted. Its tests run the library
// against them.
//
//	server := integration.Start(t, &integration.Options{
//		Users: map[string]string{"app": "secret"},
//		TLS:   true,
//	})
//	client, err := memcached.New([]string{server.Addr()}, &memcached.Options{
//		Auth: sasl.Auto("app", "secret"),
//		TLS:  server.TLSConfig(),
//	})
//
// The tests need a container engine that testcontainers-go can find. The
// command in integration/setup provides one where it can, and is how make test
// runs them; MEMCACHED_INTEGRATION=off leaves the real server out.
package integration
