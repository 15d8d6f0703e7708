package middleware_test

import (
	"sync"

	"github.com/bmemcached/bmemcached-go/middleware"
)

// eventLog collects events.
type eventLog struct {
	mu     sync.Mutex
	events []middleware.Event
}

func (l *eventLog) add(e middleware.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
}

// kinds returns the kinds of the events since it was last called.
func (l *eventLog) kinds() []middleware.EventKind {
	var kinds []middleware.EventKind
	for _, e := range l.take() {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// take returns the events since it or kinds was last called.
func (l *eventLog) take() []middleware.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	events := l.events
	l.events = nil
	return events
}
