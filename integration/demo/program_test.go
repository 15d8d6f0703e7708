package demo_test

import (
	"testing"

	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/bmemcached/bmemcached-go/integration/demo/site"
)

// run runs the demo until the test ends, and waits until it has said where.
// Without servers it has those inside its process.
func run(t *testing.T, env []string, servers ...*integration.Server) *site.Program {
	t.Helper()
	return site.Run(t, built(t), &site.Options{Servers: servers, Username: username, Password: password, Env: env})
}

// built returns the path of the demo.
func built(t *testing.T) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
