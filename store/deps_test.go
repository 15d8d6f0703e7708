package store_test

import (
	"os/exec"
	"strings"
	"testing"
)

// gocache's package cache brings the Prometheus client along, and its other
// stores their databases. Users of this package get neither.
func TestDependencies_OnlyGocachesStorePackage(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("go list -deps: %v\n%s", err, out)
	}
	packages := strings.Fields(string(out))
	seen := false
	for _, p := range packages {
		switch {
		case p == "github.com/eko/gocache/lib/v4/store":
			seen = true
		case strings.Contains(p, "gocache"), strings.Contains(p, "prometheus"), strings.Contains(p, "gomemcache"),
			strings.Contains(p, "redis"), strings.Contains(p, "memcachedtest"), strings.Contains(p, "gomock"),
			strings.Contains(p, "gin-gonic"), strings.Contains(p, "gorilla"), p == "testing":
			t.Errorf("the package needs %s", p)
		}
	}
	if !seen {
		t.Errorf("gocache's store package is not among %q", packages)
	}
}
