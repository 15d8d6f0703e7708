package session_test

import (
	"os/exec"
	"strings"
	"testing"
)

// gin-contrib/sessions has backends for databases, which its users must not get
// with this package. The test of what comes along is on packages, not modules:
// gin itself needs the bson package of the MongoDB driver.
func TestDependencies_NoDatabaseClient(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("go list -deps: %v\n%s", err, out)
	}
	packages := strings.Fields(string(out))
	if len(packages) < 50 {
		t.Fatalf("go list -deps lists %d packages, want more: %s", len(packages), out)
	}
	for _, p := range packages {
		for _, foreign := range []string{
			"redis", "redigo", "gorm", "mongo-driver", "pgx", "lib/pq", "go-sql-driver", "sqlite", "database/sql",
			"gomemcache", "memcachier", "pgstore", "mongostore", "redistore", "quasoft/memstore", "gin-contrib/sessions/",
			"alexedwards/scs", "memcachedtest",
		} {
			if strings.Contains(p, foreign) && !strings.Contains(p, "mongo-driver/v2/bson") && !strings.Contains(p, "mongo-driver/v2/internal") && !strings.Contains(p, "mongo-driver/v2/x/bsonx") {
				t.Errorf("the package needs %s", p)
			}
		}
	}
}
