package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// grace is how long requests under way may take when the program ends.
const grace = 5 * time.Second

// serve serves until ctx ends; then it waits a moment for requests under way.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	var silent connections
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ConnState:         silent.note,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("demo: %w", err)
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	server.RegisterOnShutdown(silent.close)
	err := server.Shutdown(limit)
	if err != nil {
		err = fmt.Errorf("demo: requests under way were cut off: %w", errors.Join(err, server.Close()))
	}
	<-failed
	return err
}

// connections are those on which nobody has asked for anything yet. Browsers
// open some in advance, and Shutdown would wait for a request on each.
type connections struct {
	mu     sync.Mutex // guards what follows
	silent map[net.Conn]struct{}
	closed bool
}

// note is for http.Server.ConnState.
func (c *connections) note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if state != http.StateNew {
		delete(c.silent, conn)
		return
	}
	if c.closed {
		conn.Close()
		return
	}
	if c.silent == nil {
		c.silent = make(map[net.Conn]struct{})
	}
	c.silent[conn] = struct{}{}
}

// close closes the connections, and those that come.
func (c *connections) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for conn := range c.silent {
		conn.Close()
	}
}
