package memcached_test

import (
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain fails when goroutines are left over at the end: clients that are
// closed must leave none.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // servers fail on purpose here
	code := m.Run()
	if left := leftovers(5 * time.Second); code == 0 && len(left) > 0 {
		fmt.Fprintf(os.Stderr, "%d goroutines are left over:\n\n%s\n", len(left), strings.Join(left, "\n\n"))
		code = 1
	}
	os.Exit(code)
}

// leftovers returns the stacks of goroutines that run this package's code and
// do not end in time.
func leftovers(wait time.Duration) (stacks []string) {
	for deadline := time.Now().Add(wait); ; time.Sleep(10 * time.Millisecond) {
		stacks = packageGoroutines()
		if len(stacks) == 0 || time.Now().After(deadline) {
			return stacks
		}
	}
}

func packageGoroutines() (stacks []string) {
	b := make([]byte, 4<<20)
	b = b[:runtime.Stack(b, true)]
	for stack := range strings.SplitSeq(string(b), "\n\n") {
		if strings.Contains(stack, "bmemcached-go/binary") && !strings.Contains(stack, "TestMain") {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}
