package memcached

// fault is why a call got no answer.
type fault struct {
	cause error
	// unsent says that the server certainly has not carried out the request.
	unsent bool
	// lost says that the connection broke, so that another may do better.
	lost bool
}

func (f *fault) Error() string { return f.cause.Error() }

func (f *fault) Unwrap() error { return f.cause }

// fail makes the connection unusable and ends everything on it. The first
// cause stays.
func (c *conn) fail(cause error) {
	c.mu.Lock()
	c.failLocked(cause)
}

// failLocked is fail under mu, which it releases.
func (c *conn) failLocked(cause error) {
	first := c.cause == nil
	used := c.out.enqueued != c.dequeued.Load()
	lingers := first && mayLinger(cause, used)
	if first {
		c.cause = cause
	}
	if lingers {
		c.lingers.Store(true)
		c.interruptRead() // the reader goes on to failPending, which decides
	}
	c.mu.Unlock()
	if first && !lingers {
		_ = c.nc.Close()
	}
	// Before anybody learns of it: who tries again must get another connection.
	c.node.remove(c)
	c.mu.Lock()
	c.err = c.cause
	c.admit()
	reader := !c.reading
	c.reading = true // for ever: nobody reads a broken connection
	c.mu.Unlock()
	if first {
		c.node.broke(c, cause, used)
	}
	if reader {
		c.failPending(nil)
	}
}

// failPending ends the calls that got no response, among them that of the
// reader, who calls it.
func (c *conn) failPending(own *call) {
	c.mu.Lock()
	pending := append(c.in.pending[c.in.next:], c.out.queue...)
	c.out.queue, c.in.pending, c.in.next = nil, nil, 0
	cause, sent := c.err, c.out.sent
	c.node.counters.ops.Add(c.lane.ops)
	c.lane.ops = 0
	unshared, lingers := c.unshare(), c.lingers.Swap(false)
	c.mu.Unlock()
	if unshared {
		defer c.node.leave()
	}
	now := c.node.client.now()
	var unsettled []string // keys of writes that may still be carried out
	for _, cl := range pending {
		c.dequeue(cl)
		if !cl.state.CompareAndSwap(callPending, callClaimed) {
			if cl.fate != nil && lingers {
				unsettled = append(unsettled, cl.fate.keys...)
			}
			continue
		}
		f := &fault{cause: cause, unsent: cl.incomplete(sent), lost: true}
		if cl.deadline <= now {
			f.cause, f.lost = cl.timedOut(), false
		}
		cl.err = f
		if lingers && !f.unsent && cl.writes() {
			unsettled = append(unsettled, cl.keys()...)
		}
	}
	if lingers {
		c.linger(cause, unsettled) // before anybody can come with another write
	}
	for _, cl := range pending {
		if cl.err == nil { // its caller has left
			c.drop(cl)
		} else {
			c.complete(cl, own)
		}
	}
}
