package main

import (
	"syscall"
	"time"
)

// sharpen lets this thread's sleeps end when they should: the kernel adds 50 µs
// to those of others.
func sharpen() {
	const setTimerSlack, nanosecond = 29, 1 // PR_SET_TIMERSLACK
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, setTimerSlack, nanosecond, 0)
}

// nap sleeps in the kernel: the runtime's timers fire up to a millisecond late
// where nothing else happens.
func nap(d time.Duration) {
	ts := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&ts, nil) // a signal may cut it short: the caller looks again
}
