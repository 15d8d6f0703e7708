package memcached

import (
	"errors"
	"net"
	"slices"
	"time"
)

// A connection leaves when it was used for Options.ConnMaxLifetime, or when its
// server's name has moved to another address: operations on it end, later ones
// use others, and then it is closed.

var errLeft = unavailable(errors.New("the connection was not to be used any longer"))

// leaveCheck is how often connections that leave are looked at.
const leaveCheck = 10 * time.Millisecond

// lifetime returns until when a connection that is made now may be used. Those
// that are made together do not end together.
func (c *Client) lifetime(now int64) int64 {
	if c.opts.ConnMaxLifetime < 0 {
		return noDeadline
	}
	return now + int64(jitter(c.opts.ConnMaxLifetime))
}

// dismiss makes, under mu, connections leave.
func (n *node) dismiss(which func(*conn) bool) {
	var stay []*conn
	before := len(n.leaving)
	for _, c := range *n.conns.Load() {
		if which(c) {
			n.leaving = append(n.leaving, c)
		} else {
			stay = append(stay, c)
		}
	}
	if len(n.leaving) == before {
		return
	}
	n.conns.Store(&stay)
	n.vacate()
	if before == 0 {
		n.client.goroutines.Go(n.closeLeaving)
	}
}

// closeLeaving closes connections that leave when they are idle.
func (n *node) closeLeaving() {
	for {
		n.mu.Lock()
		leaving := slices.Clone(n.leaving)
		n.mu.Unlock()
		if len(leaving) == 0 {
			return
		}
		for _, c := range leaving {
			if c.load.CompareAndSwap(0, 1) {
				c.failIdle(errLeft)
			}
		}
		select {
		case <-time.After(leaveCheck):
		case <-n.client.done:
			return
		}
	}
}

// maxStrays is how often in a row a name must lead elsewhere than to the address of
// the open connections before it has moved. Before that it is chance: names can
// have several addresses, of which each answer holds some.
const maxStrays = 3

// isStray reports, under mu, whether a new connection is not to be used because
// it leads to another address than the open ones. If the name has moved these
// leave.
func (n *node) isStray(a *attempt, nc net.Conn) bool {
	peer := peerOf(nc)
	others := len(*n.conns.Load()) > 0
	if own := n.client.opts.DialContext != nil; own && others && peer != n.peer {
		n.strays++
	} else if own {
		n.strays = 0
	}
	if !others || peer == n.peer {
		n.peer = peer
		return false
	}
	if !a.moved && n.strays < maxStrays {
		return true
	}
	n.peer, n.strays = peer, 0
	n.dismiss(func(*conn) bool { return true })
	return false
}

// peerOf returns the address of the other side.
func peerOf(nc net.Conn) string {
	if addr := nc.RemoteAddr(); addr != nil {
		return addr.String()
	}
	return ""
}
