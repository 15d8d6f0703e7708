package session_test

import (
	"maps"
	"slices"
	"time"
)

// The model of the state machine: what a session is, without memcached.

// A node is a session under one ID. Renewing it makes another node.
type node struct {
	values  map[any]any // as last acknowledged
	stored  bool        // under its ID, as far as nothing has ended it
	created bool        // it was stored once
	ended   bool        // by a logout, before it was stored or after
	from    *node       // that it was renewed from, if that was nobody's
	next    []*node     // what renewals made of it, while a logout still finds that
	forked  bool        // another renewal made a session with the same values and messages
	final   map[any]any // the values when it was renewed
	user    string
	grip    *grip // in the user's roster; nil: bound to nobody
	lifetime
	renewedAt    time.Time // zero: it was not made by a renewal
	forwardUntil time.Time // when a logout does not find next any more
}

// A grip is the model's handle.
type grip struct {
	user    string
	handle  string
	label   string
	created time.Time
	loaded  time.Time     // when a request loaded the session last
	bound   time.Time     // when Bind or Save was called last, which may write it down as used
	idle    time.Duration // the longest idle timeout that the session had
	gone    bool          // from the roster
}

func (n *node) alive(r *rules) bool {
	return n != nil && n.there(r) && (n.grip == nil || !n.grip.gone)
}

// there reports whether memcached holds the session.
func (n *node) there(r *rules) bool { return n.stored && !n.ended && !r.over(&n.lifetime) }

// end is a logout with the node's cookie.
func (n *node) end() {
	if n == nil {
		return
	}
	n.ended = true
	if time.Now().After(n.forwardUntil) {
		return
	}
	for _, next := range n.next {
		next.end()
	}
}

// graceful is how long what a renewal leaves leads from the old ID to the new one,
// and how long the new one can wait until it is saved.
const graceful = 10 * time.Minute

// renewed makes a node of one that is there, or that was renewed at the same time
// and belongs to nobody. It returns nil where that is an end.
func (n *node) renewed(r *rules) *node {
	switch {
	case n.ended:
		return nil
	case n.stored && r.over(&n.lifetime):
		return nil
	case n.stored:
		n.stored, n.final = false, maps.Clone(n.values)
	case n.final == nil || n.grip != nil || len(n.next) == 0 || len(n.next) >= 16:
		return nil
	case time.Now().After(n.forwardUntil) || !time.Now().Before(r.end(&n.lifetime)):
		return nil
	}
	next := &node{values: maps.Clone(n.final), user: n.user, grip: n.grip, forked: n.forked, lifetime: n.lifetime, renewedAt: time.Now()}
	if n.grip == nil {
		next.from = n
	}
	n.forwardUntil = time.Now().Add(graceful)
	if n.next = append(n.next, next); len(n.next) > 1 {
		n.fork()
	}
	return next
}

// fork marks what renewals made of a node: each has the messages of the others.
func (n *node) fork() {
	for _, next := range n.next {
		next.forked = true
		next.fork()
	}
}

// flashes are the messages that the node holds.
func (n *node) flashes() []any {
	list, _ := n.values["_flash"].([]any)
	return list
}

// change is what a request did to a session since it last saved it.
type change struct {
	set   map[any]any
	added []any // messages
	took  []any // messages, nil: it has not looked
}

func (c *change) empty() bool { return len(c.set) == 0 && len(c.added) == 0 && len(c.took) == 0 }

// apply is what a save does. It reports false if the messages that the request
// took were taken by another one: then nothing is done, and they are not taken.
func (n *node) apply(c *change, seen []any) bool {
	there := n.flashes()
	kept := len(there) >= len(seen) && slices.Equal(there[:len(seen)], seen)
	if len(c.took) > 0 {
		if !kept {
			return false
		}
		there = there[len(seen):]
	}
	maps.Copy(n.values, c.set)
	if there = slices.Concat(there, c.added); len(there) > 0 {
		n.values["_flash"] = there
	} else {
		delete(n.values, "_flash")
	}
	return true
}
