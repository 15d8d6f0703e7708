package integration

import "testing"

// TestFreePort_IsNotGivenTwice: a server keeps its port while it is dead.
func TestFreePort_IsNotGivenTwice(t *testing.T) {
	given := map[int]bool{}
	t.Run("while the first holds it", func(t *testing.T) {
		for range 300 {
			port := freePort(t)
			if given[port] {
				t.Fatalf("port %d was given twice", port)
			}
			given[port] = true
		}
	})
}
