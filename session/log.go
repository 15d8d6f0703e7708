package session

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// logInterval is how often one kind of event is logged at most.
const logInterval = 10 * time.Second

// limitedLog logs each kind of event once per interval and then says how many
// were left out: every request meets a server that is down.
type limitedLog struct {
	logger *slog.Logger // nil: slog.Default

	mu    sync.Mutex // guards kinds
	kinds map[string]*logCount
}

type logCount struct {
	last    time.Time
	omitted int
}

func (l *limitedLog) warn(ctx context.Context, event string, err error) {
	if omitted, ok := l.allow(event); ok {
		l.slog().WarnContext(ctx, "session: "+event, "error", err, "omitted", omitted)
	}
}

func (l *limitedLog) slog() *slog.Logger {
	if l.logger == nil {
		return slog.Default()
	}
	return l.logger
}

// allow reports whether an event may be logged now and how many of its kind
// were not since the last one.
func (l *limitedLog) allow(event string) (omitted int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kinds == nil {
		l.kinds = make(map[string]*logCount)
	}
	count := l.kinds[event]
	if count == nil {
		count = new(logCount)
		l.kinds[event] = count
	}
	now := time.Now()
	if !count.last.IsZero() && now.Sub(count.last) < logInterval {
		count.omitted++
		return 0, false
	}
	omitted, count.omitted, count.last = count.omitted, 0, now
	return omitted, true
}
