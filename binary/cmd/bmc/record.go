package main

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// meeting is what a connection learned of a server's SASL.
type meeting struct {
	asked   bool     // the server listed its mechanisms
	offered []string // which
	secure  bool     // nobody could listen
	used    string   // the mechanism that was begun; empty: none
}

// record keeps the last meeting. It is safe for concurrent use.
type record struct {
	local func() bool // the connection does not leave the machine; nil: not known

	mu   sync.Mutex // guards last
	last meeting
}

func (r *record) set(m meeting) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = m
}

func (r *record) snapshot() meeting {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// recorder is a mechanism that keeps what the server listed.
type recorder struct {
	sasl.Mechanism
	record *record
}

// Start begins a session of the mechanism inside. The client takes connections of
// a DialContext for local by the server's name alone; the record knows better.
func (r *recorder) Start(ctx context.Context, server sasl.Server) (sasl.Session, []byte, error) {
	server.Secure = server.Secure || r.record.local != nil && r.record.local()
	session, initial, err := r.Mechanism.Start(ctx, server)
	m := meeting{asked: true, offered: slices.Clone(server.Mechanisms), secure: server.Secure}
	if err == nil {
		m.used = sasl.NameOf(r.Mechanism, session)
	}
	r.record.set(m)
	return session, initial, err
}

// errOnlyListing ends a connection that was made to learn the mechanisms.
var errOnlyListing = errors.New("only asked for the mechanisms")

// lister is a mechanism that has no credentials: with recorder around it, it
// finds out what a server offers, and authenticates nobody.
type lister struct{}

func (lister) Name() string { return "NONE" }

func (lister) Start(context.Context, sasl.Server) (sasl.Session, []byte, error) {
	return nil, nil, errOnlyListing
}
