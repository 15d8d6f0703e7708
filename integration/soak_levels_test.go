package integration_test

import (
	"os"
	"runtime"
	"slices"
	"testing"
)

// levels are what must stay flat, taken while the callers are at work.
type levels struct{ taken [][3]int64 }

// The names of what is taken, and how much the last ones may be above the first:
// what is under way differs from moment to moment.
var (
	levelNames = [3]string{"bytes of heap", "goroutines", "descriptors"}
	levelGrows = [3]int64{16 << 20, 100, 100}
)

func (l *levels) take() {
	l.taken = append(l.taken, [3]int64{heap(), int64(runtime.NumGoroutine()), descriptors()})
}

// heap returns the bytes in use after a collection.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what pools held survives the first
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// descriptors returns how many this process has open, 0 where that is not known.
func descriptors() int64 {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return int64(len(list))
}

// check compares the middle of the first third with that of the last.
func (l *levels) check(t *testing.T) {
	third := len(l.taken) / 3
	if third == 0 {
		t.Fatalf("levels were taken %d times only", len(l.taken))
	}
	for i, name := range levelNames {
		first, last := middle(l.taken[:third], i), middle(l.taken[len(l.taken)-third:], i)
		t.Logf("%s: %d in the first third, %d in the last, of %d", name, first, last, len(l.taken))
		if last-first > levelGrows[i] {
			t.Errorf("%s have grown from %d to %d: %v", name, first, last, l.taken)
		}
	}
}

func middle(taken [][3]int64, which int) int64 {
	var values []int64
	for _, level := range taken {
		values = append(values, level[which])
	}
	slices.Sort(values)
	return values[len(values)/2]
}
