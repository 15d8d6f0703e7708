package store

import (
	"fmt"
	"time"
)

// awayAfter is how long memcached must not have answered before a process that
// waits for another one's load loads for itself.
const awayAfter = time.Second

// waiting is how long a flight has waited for another one's load.
type waiting struct {
	limit    time.Duration
	owner    uint64    // of the lock
	since    time.Time // when it was first seen
	overdue  time.Time // when an earlier load of this process was first seen to run
	failures int       // in a row
	began    time.Time // the first of them
}

// failed notes that memcached did not answer what was asked at a time, and reports
// whether it is away: it did not answer twice, and for some time if another process
// was seen to load. A packet that is lost sends nobody to the database.
func (w *waiting) failed(at time.Time) bool {
	if w.failures++; w.failures == 1 {
		w.began = at
	}
	return w.failures > 1 && (w.since.IsZero() || time.Since(w.began) >= awayAfter)
}

// waited notes that memcached has answered. The error says that an owner, or an
// earlier load of this process, takes longer than any may.
func (w *waiting) waited(l *loading) error {
	w.failures = 0
	owner, _, _ := ownerOf(l.other)
	if owner != w.owner || w.since.IsZero() {
		w.owner, w.since = owner, time.Now()
	}
	switch overdue := l.overdue(); {
	case !overdue:
		w.overdue = time.Time{}
	case w.overdue.IsZero():
		w.overdue = time.Now()
	case time.Since(w.overdue) >= l.opts.LoadTimeout:
		return errOverdue
	}
	if l.other != nil && time.Since(w.since) >= w.limit {
		return fmt.Errorf("store: GetOrLoad: the lock of another load is there for more than %v", w.limit)
	}
	return nil
}
