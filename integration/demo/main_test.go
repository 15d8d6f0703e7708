package demo_test

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/bmemcached/bmemcached-go/integration/demo/site"
)

const (
	username = "app"
	password = "a p:a$$word"
)

var users = map[string]string{username: password}

// folder holds what the tests build; it is removed after them.
var folder string

func TestMain(m *testing.M) {
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	var err error
	if folder, err = os.MkdirTemp("", "demo"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	return m.Run()
}

// build builds the demo, once for all tests.
var build = sync.OnceValues(func() (string, error) { return site.Build(folder) })

// launch starts memcached with SASL in containers.
func launch(t *testing.T, count int) []*integration.Server {
	t.Helper()
	servers := make([]*integration.Server, count)
	for i := range servers {
		servers[i] = integration.Start(t, &integration.Options{Users: users})
	}
	return servers
}

// eventually waits until do succeeds.
func eventually(t *testing.T, do func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = do(); err == nil {
			return
		}
	}
	t.Fatalf("still so: %v", err)
}
