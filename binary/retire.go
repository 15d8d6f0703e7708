package memcached

// A server that SetServers removed retires: operations under way end on its
// connections, later ones go elsewhere, and then it is closed.

// gone is what inFlight is lowered by when a node was removed.
const gone = -1 << 30

// enter counts an operation in. It returns false when the node was removed.
func (n *node) enter() bool {
	if n.inFlight.Add(1) > 0 {
		return true
	}
	n.inFlight.Add(-1)
	return false
}

// leave counts an operation out. The last one closes a node that SetServers
// removed.
func (n *node) leave() {
	if n.inFlight.Add(-1) == 0 && n.retired.Load() {
		n.closeRetired()
	}
}

// retire closes the node when the operations in flight have ended.
func (n *node) retire() {
	n.retired.Store(true)
	n.closeRetired()
}

func (n *node) closeRetired() {
	if n.inFlight.CompareAndSwap(0, gone) {
		n.close(errRetired)
		n.client.forget(n)
	}
}
