package memcached

// fail makes the connection unusable and ends everything on it. The first
// cause stays.
func (c *conn) fail(cause error) {
	c.mu.Lock()
	c.failLocked(cause)
}

// failIdle is fail for a connection that is idle, unless a call came first: it
// would be lost.
func (c *conn) failIdle() {
	c.mu.Lock()
	if c.reading || c.writing || c.enqueued != c.dequeued.Load() {
		c.mu.Unlock()
		c.load.Add(-1)
		return
	}
	c.failLocked(errIdle)
}

// failLocked is fail under mu, which it releases.
func (c *conn) failLocked(cause error) {
	first := c.cause == nil
	if first {
		c.cause = cause
		_ = c.nc.Close()
	}
	c.mu.Unlock()
	// Before anybody learns of it: who tries again must get another connection.
	c.node.remove(c)
	c.mu.Lock()
	c.err = c.cause
	c.admit()
	reader := !c.reading
	c.reading = true // for ever: nobody reads a broken connection
	c.mu.Unlock()
	if first && isTimeout(cause) {
		c.node.silent()
	}
	if reader {
		c.failPending(nil)
	}
}

// failPending ends the calls that got no response, that of the reader, who calls it,
// among them.
func (c *conn) failPending(own *call) {
	c.mu.Lock()
	due := append(c.in.pending[c.in.next:], c.queue...)
	c.queue, c.in.pending, c.in.next = nil, nil, 0
	cause, sent := c.err, c.sent
	c.node.counters.ops.Add(c.ops)
	c.ops = 0
	unshared := c.unshare()
	c.mu.Unlock()
	if unshared {
		defer c.node.leave()
	}
	now := c.node.client.now()
	for _, cl := range due {
		c.dequeue(cl)
		if !cl.state.CompareAndSwap(callPending, callClaimed) {
			c.drop(cl)
			continue
		}
		f := &fault{cause: cause, unsent: cl.start >= sent || c.rejected.Load(), lost: true}
		if cl.deadline <= now {
			f.cause, f.lost = errTimeout, false
		}
		cl.err = f
		c.complete(cl, own)
	}
}

// complete hands a claimed call back to its caller. The reader needs no signal
// for its own.
func (c *conn) complete(cl, own *call) {
	cl.state.Store(callDone)
	if cl != own {
		cl.wake <- signalDone
	}
}

// retire counts a call as out of the line.
func (c *conn) dequeue(cl *call) {
	c.dequeued.Add(1)
	c.answered.Add(cl.size)
}

// drop frees a call whose caller left.
func (c *conn) drop(cl *call) {
	if !cl.shared {
		c.load.Add(-1)
	}
	cl.free()
}
