package main

import (
	"testing"
	"testing/synctest"
	"time"
)

// A client that dials many connections is not measured while it does so.
func TestPhase_WaitsForEveryCallersFirstAnswer(t *testing.T) {
	for name, test := range map[string]struct{ dialling, want time.Duration }{
		"at once":  {0, 30 * time.Millisecond},
		"slowly":   {300 * time.Millisecond, 320 * time.Millisecond},
		"for ever": {time.Hour, 10*time.Millisecond + connecting + 20*time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p phase
				p.cold.Store(1)
				timer := time.AfterFunc(test.dialling, func() { p.cold.Store(0) })
				defer timer.Stop()
				start := time.Now()
				win := p.run(10*time.Millisecond, 20*time.Millisecond, nil)
				if took := time.Since(start); took != test.want || win.elapsed != 20*time.Millisecond {
					t.Errorf("took %v and measured for %v, want %v and 20ms", took, win.elapsed, test.want)
				}
			})
		})
	}
}
