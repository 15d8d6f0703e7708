package integration_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// TestMain fails the run when a goroutine of this project outlives the tests.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := leaked("github.com/bmemcached/bmemcached-go", 5*time.Second); code == 0 && len(left) > 0 {
		fmt.Printf("FAIL: %d goroutines outlive the tests:\n\n%s\n", len(left), bytes.Join(left, []byte("\n\n")))
		code = 1
	}
	os.Exit(code)
}

// leaked returns the stacks of the goroutines, other than the caller's and the
// main one, that run or were started by code whose import path begins with
// path. It waits for them to end for limit.
func leaked(path string, limit time.Duration) (stacks [][]byte) {
	for deadline := time.Now().Add(limit); ; time.Sleep(10 * time.Millisecond) {
		stacks = nil
		for _, stack := range goroutines()[1:] { // the first is the caller's
			if bytes.Contains(stack, []byte(path)) && !bytes.Contains(stack, []byte("testing.(*M).Run(")) {
				stacks = append(stacks, stack)
			}
		}
		if len(stacks) == 0 || time.Now().After(deadline) {
			return stacks
		}
	}
}

// goroutines returns the stack of every goroutine, the caller's first.
func goroutines() [][]byte {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			return bytes.Split(bytes.TrimSpace(buf[:n]), []byte("\n\n"))
		}
		buf = make([]byte, 2*len(buf))
	}
}
