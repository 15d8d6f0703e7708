package store_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/eko/gocache/lib/v4/cache"
	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/store"
)

const (
	chainVariable = "CHAIN_IN_OTHER_PROCESS" // address of memcached
	chainBound    = time.Second
)

// TestChain_OtherProcess is what the other process runs: it reads a value through
// a chain, until the value changes.
func TestChain_OtherProcess(t *testing.T) {
	addr := os.Getenv(chainVariable)
	if addr == "" {
		return
	}
	memory, err := store.NewBounded(localStore(), chainBound)
	if err != nil {
		t.Fatal(err)
	}
	chain := cache.NewChain(
		cache.New[string](memory),
		cache.New[string](store.New(connectTo(t, []string{addr}, sasl.Auto(username, password)))),
	)
	defer chain.Close()
	eventually(t, "the copy in memory", func() bool {
		_, err := chain.Get(t.Context(), "k")
		_, copied := memory.Get(t.Context(), "k")
		return err == nil && copied == nil
	})
	fmt.Println("copied")
	for {
		got, err := chain.Get(t.Context(), "k")
		if err != nil || got != "old" {
			fmt.Println("gone")
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// An invalidation reaches the copies of other processes within the bound, however
// long the value lives.
func TestChain_CopiesOutliveAnInvalidationByTheBound(t *testing.T) {
	server, client := open(t)
	s := store.New(client)
	mustSet(t, s, "k", "old", libstore.WithTags([]string{"t"}), libstore.WithExpiration(10*time.Minute))
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChain_OtherProcess$")
	cmd.Env = append(os.Environ(), chainVariable+"="+server.Addr())
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	until := func(line string) time.Time {
		for lines.Scan() {
			if lines.Text() == line {
				return time.Now()
			}
		}
		t.Fatalf("the other process never said %q", line)
		return time.Time{}
	}
	until("copied")
	invalidate(t, s, "t")
	began := time.Now()
	// The bound, and what a busy machine needs to notice.
	if took := until("gone").Sub(began); took > chainBound+4*time.Second {
		t.Errorf("the other process served the old value for %v", took)
	}
	_ = cmd.Wait()
}
