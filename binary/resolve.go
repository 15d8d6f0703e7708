package memcached

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"
)

// dialer connects to one of the addresses of a name.
type dialer struct {
	resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
}

func newDialer() dialer {
	return dialer{
		resolve: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		},
		dial: (&net.Dialer{FallbackDelay: -1}).DialContext,
	}
}

// maxStagger is the longest delay until an address is tried beside those before
// it (RFC 8305, Connection Attempt Delay), minStagger the shortest.
const (
	minStagger = 10 * time.Millisecond
	maxStagger = 250 * time.Millisecond
)

// stagger returns the delay between addresses: all get their turn within half of
// Options.Timeout.
func stagger(timeout time.Duration, addrs int) time.Duration {
	if timeout < 0 {
		return maxStagger
	}
	return min(max(timeout/time.Duration(2*addrs), minStagger), maxStagger)
}

// dialTCP connects to one of the addresses of the server's name: to that of the
// open connections, as long as the name has it, else to the first that answers.
func (n *node) dialTCP(a *attempt) (net.Conn, error) {
	host, port, err := net.SplitHostPort(n.addr.target)
	if err != nil {
		return nil, err
	}
	d := n.client.dialer
	if _, err := netip.ParseAddr(host); err == nil {
		return d.dial(a.ctx, n.addr.network, n.addr.target)
	}
	ips, err := d.resolve(a.ctx, host)
	if err != nil {
		return nil, err
	}
	addrs := make([]string, len(ips))
	for i, ip := range alternate(ips) {
		addrs[i] = net.JoinHostPort(ip.Unmap().String(), port)
	}
	return n.dialFirst(a.ctx, n.order(a, addrs))
}

// alternate sorts addresses so that the families take turns, the first one
// first.
func alternate(ips []netip.Addr) []netip.Addr {
	var families [2][]netip.Addr
	for _, ip := range ips {
		i := 0
		if ip.Unmap().Is4() != ips[0].Unmap().Is4() {
			i = 1
		}
		families[i] = append(families[i], ip)
	}
	sorted := make([]netip.Addr, 0, len(ips))
	for len(families[0])+len(families[1]) > 0 {
		for i, family := range families {
			if len(family) > 0 {
				sorted = append(sorted, family[0])
				families[i] = family[1:]
			}
		}
	}
	return sorted
}

// order returns the addresses to try: the one of the open connections alone, until
// the name has no longer had it maxStrays times in a row; or all, with the last one
// used first and the last one that failed behind.
func (n *node) order(a *attempt, addrs []string) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(*n.conns.Load()) > 0 {
		if n.strays++; slices.Contains(addrs, n.peer) {
			n.strays = 0
		}
		if n.strays < maxStrays {
			return []string{n.peer}
		}
		a.moved = true
	}
	rank := func(addr string) int {
		switch addr {
		case n.failedPeer:
			return 2
		case n.peer:
			return 0
		default:
			return 1
		}
	}
	slices.SortStableFunc(addrs, func(x, y string) int { return rank(x) - rank(y) })
	return addrs
}

// dialFirst tries addresses, each a while after the one before it or as soon as
// one fails, and returns the first connection. The error is that of the first.
func (n *node) dialFirst(ctx context.Context, addrs []string) (net.Conn, error) {
	if len(addrs) == 1 {
		return n.client.dialer.dial(ctx, "tcp", addrs[0])
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		nc  net.Conn
		err error
	}
	results := make(chan result)
	start := func(addr string) {
		n.client.goroutines.Go(func() {
			nc, err := n.client.dialer.dial(ctx, "tcp", addr)
			select {
			case results <- result{nc, err}:
			case <-ctx.Done():
				if err == nil {
					_ = nc.Close()
				}
			}
		})
	}
	delay := stagger(n.client.opts.Timeout, len(addrs))
	turn := time.NewTimer(0)
	defer turn.Stop()
	var first error
	for failed, all := 0, len(addrs); failed < all; {
		select {
		case <-turn.C:
			if len(addrs) > 0 {
				start(addrs[0])
				addrs = addrs[1:]
				turn.Reset(delay)
			}
		case r := <-results:
			if r.err == nil {
				return r.nc, nil
			}
			if failed++; first == nil {
				first = r.err
			}
			turn.Reset(0)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, first
}
