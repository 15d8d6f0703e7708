package session_test

import (
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// How time passes in the state machine of statemachine_test.go.

// inBubble runs f with a clock of its own, and hands on its panics, by which rapid
// ends a run.
func inBubble(t *testing.T, f func(t *testing.T)) {
	dropPools()
	var panicked any
	synctest.Test(t, func(t *testing.T) {
		defer func() { panicked = recover() }()
		f(t)
	})
	switch {
	case panicked == nil:
	case fmt.Sprintf("%T", panicked) == "rapid.invalidData": // rapid tells panics by their lines
		panic(panicked)
	default:
		panic(panicked)
	}
}

// dropPools drops the spare parts that the client keeps: they have channels, which
// belong to one bubble alone.
func dropPools() {
	runtime.GC()
	runtime.GC()
}

// rulesOf draws how the stores are configured. All timeouts are multiples of five
// minutes.
func rulesOf(t *rapid.T) *rules {
	const day = 24 * time.Hour
	return rapid.SampledFrom([]*rules{
		{},
		{idle: 10 * time.Minute, absolute: time.Hour},
		{idle: time.Hour},
		{maxAge: day},
		{maxAge: 5 * time.Minute},
		{maxAge: day, idle: 20 * time.Minute},
		{maxAge: day, absolute: 2 * day},
	}).Draw(t, "rules")
}

// timePasses lets time pass: each time 7 seconds more than a multiple of five
// minutes, so that nothing ends just now, and the model need not know memcached's
// clock.
func (m *machine) timePasses(t *rapid.T) {
	if m.sleeps++; m.sleeps > 40 {
		return // 43 x 7 s are five minutes
	}
	steps := rapid.SampledFrom([]int{0, 0, 1, 1, 2, 3, 5, 12, 72, 150, 290}).Draw(t, "five minutes")
	time.Sleep(time.Duration(steps)*5*time.Minute + 7*time.Second)
}
