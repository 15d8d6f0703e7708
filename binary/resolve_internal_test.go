package memcached

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// fakeNetwork has a server at each address, which answers every request with a
// miss. Addresses can be switched off in several ways.
type fakeNetwork struct {
	mu     sync.Mutex
	names  []netip.Addr // of the only name
	off    map[string]string
	dialed []string
	times  []time.Time // of dialed
}

func (f *fakeNetwork) resolve(context.Context, string) ([]netip.Addr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.names), nil
}

func (f *fakeNetwork) set(addrs ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.names = nil
	for _, a := range addrs {
		f.names = append(f.names, netip.MustParseAddr(a))
	}
}

// switchOff makes an address "refuse" or "drop" connections or stay "silent".
func (f *fakeNetwork) switchOff(addr, how string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.off[net.JoinHostPort(addr, "11211")] = how
}

func (f *fakeNetwork) dial(ctx context.Context, _, address string) (net.Conn, error) {
	f.mu.Lock()
	f.dialed, f.times = append(f.dialed, address), append(f.times, time.Now())
	how := f.off[address]
	f.mu.Unlock()
	switch how {
	case "refuse":
		return nil, errors.New("connection refused")
	case "drop":
		<-ctx.Done()
		return nil, ctx.Err()
	}
	front, back := net.Pipe()
	go func() {
		defer back.Close()
		head := make([]byte, wire.HeaderLen)
		for {
			if _, err := io.ReadFull(back, head); err != nil {
				return
			}
			var h wire.Header
			h.Decode(head)
			if _, err := io.CopyN(io.Discard, back, int64(h.BodyLen)); err != nil || how == "silent" {
				_, _ = back.Read(head)
				return
			}
			answer := make([]byte, wire.HeaderLen)
			copy(answer, head)
			answer[0], answer[2], answer[3], answer[4], answer[7] = 0x81, 0, 0, 0, 1
			clear(answer[8:12])
			if h.Opcode == wire.OpNoop {
				answer[7] = 0
			}
			if _, err := back.Write(answer); err != nil {
				return
			}
		}
	}()
	return &fakeConn{Conn: front, remote: fakeAddr(address)}, nil
}

type fakeConn struct {
	net.Conn
	remote fakeAddr
}

type fakeAddr string

func (fakeAddr) Network() string  { return "tcp" }
func (a fakeAddr) String() string { return string(a) }

func (c *fakeConn) RemoteAddr() net.Addr { return c.remote }

// peers returns the addresses of the client's connections.
func peers(c *Client) (addrs []string) {
	n := c.topology.Load().nodes[0]
	for _, conn := range *n.conns.Load() {
		host, _, _ := net.SplitHostPort(peerOf(conn.nc))
		addrs = append(addrs, host)
	}
	return addrs
}

func newFakeClient(t *testing.T, opts Options, addrs ...string) (*fakeNetwork, *Client) {
	f := &fakeNetwork{off: map[string]string{}}
	f.set(addrs...)
	c, err := New([]string{"cache.example"}, &opts)
	if err != nil {
		t.Fatal(err)
	}
	c.dialer = dialer{resolve: f.resolve, dial: f.dial}
	return f, c
}

func TestName_EveryAddressGetsItsTurn(t *testing.T) {
	const v4, other, v6 = "192.0.2.1", "192.0.2.2", "2001:db8::1"
	for _, test := range []struct {
		name    string
		addrs   []string
		off     map[string]string
		timeout time.Duration
		want    string
	}{
		{"the first works", []string{v4, other}, nil, time.Second, v4},
		{"the first refuses", []string{v4, other}, map[string]string{v4: "refuse"}, time.Second, other},
		{"the first drops SYNs", []string{v4, other}, map[string]string{v4: "drop"}, 100 * time.Millisecond, other},
		{"IPv6 is a black hole", []string{v6, v4}, map[string]string{v6: "drop"}, 100 * time.Millisecond, v4},
		{"many of IPv6 are", []string{v6, "2001:db8::2", "2001:db8::3", v4}, map[string]string{v6: "drop", "2001:db8::2": "drop", "2001:db8::3": "drop"}, 300 * time.Millisecond, v4},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, c := newFakeClient(t, Options{Timeout: test.timeout}, test.addrs...)
				defer c.Close()
				for addr, how := range test.off {
					f.switchOff(addr, how)
				}
				if _, err := c.Get(t.Context(), "k"); err != ErrCacheMiss {
					t.Errorf("Get = %v, want %v", err, ErrCacheMiss)
				}
				if got := peers(c); len(got) != 1 || got[0] != test.want {
					t.Errorf("connected to %v, want %v", got, test.want)
				}
			})
		})
	}
}

// TestName_SilentAddress: one that accepts connections and does not answer is
// not tried first again.
func TestName_SilentAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c := newFakeClient(t, Options{}, "192.0.2.1", "192.0.2.2")
		defer c.Close()
		f.switchOff("192.0.2.1", "silent")
		_, _ = c.Get(t.Context(), "k")
		time.Sleep(time.Second)
		if _, err := c.Get(t.Context(), "k"); err != ErrCacheMiss {
			t.Errorf("Get = %v, want %v", err, ErrCacheMiss)
		}
	})
}

func TestName_NoAddressAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c := newFakeClient(t, Options{}, "192.0.2.1", "192.0.2.2")
		defer c.Close()
		f.switchOff("192.0.2.1", "refuse")
		f.switchOff("192.0.2.2", "refuse")
		if _, err := c.Get(t.Context(), "k"); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "refused") {
			t.Errorf("Get = %v, want the reason", err)
		}
	})
}

// grown makes the client open up to count connections.
func grown(t *testing.T, c *Client, count int) {
	n := c.topology.Load().nodes[0]
	_, _ = c.Get(t.Context(), "k")
	for range 20 * count {
		if len(*n.conns.Load()) >= count {
			return
		}
		n.grow()
		synctest.Wait()
		time.Sleep(100 * time.Millisecond)
	}
}

// TestName_ConnectionsGoToOneServer: while one is open and its address answers,
// new ones go there, whatever the order of the answers.
func TestName_ConnectionsGoToOneServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c := newFakeClient(t, Options{}, "192.0.2.1", "192.0.2.2")
		defer c.Close()
		grown(t, c, 2)
		f.set("192.0.2.2", "192.0.2.1")
		grown(t, c, 5)
		f.set("192.0.2.2") // one answer without it is chance
		grown(t, c, 6)
		f.set("192.0.2.2", "192.0.2.1")
		grown(t, c, 8)
		if got := peers(c); len(got) != 8 || len(slices.Compact(got)) != 1 {
			t.Errorf("connections to %v, want 8 to one server", got)
		}
	})
}

// TestName_AfterAMoveAllConnectionsMove: also with a DialContext that resolves.
func TestName_AfterAMoveAllConnectionsMove(t *testing.T) {
	for _, own := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var f *fakeNetwork
			opts := Options{}
			if own {
				opts.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
					ips, _ := f.resolve(ctx, "")
					return f.dial(ctx, network, net.JoinHostPort(ips[0].String(), "11211"))
				}
			}
			var c *Client
			f, c = newFakeClient(t, opts, "192.0.2.1")
			defer c.Close()
			grown(t, c, 4)
			f.set("192.0.2.9")
			for range 100 {
				grown(t, c, 8)
				if got := slices.Compact(peers(c)); len(got) != 1 {
					t.Fatalf("connections to %v at the same time", got)
				}
			}
			if got := peers(c); len(got) != 8 || got[0] != "192.0.2.9" {
				t.Errorf("connections to %v, want 8 to the new address", got)
			}
			time.Sleep(time.Second)
			if s := c.Stats().Servers["cache.example"]; s.Conns != 8 {
				t.Errorf("%d connections, want the old ones closed", s.Conns)
			}
		})
	}
}

func TestConnMaxLifetime(t *testing.T) {
	for _, test := range []struct {
		lifetime time.Duration
		moves    bool
	}{{0, true}, {time.Minute, true}, {-1, false}} {
		synctest.Test(t, func(t *testing.T) {
			f, c := newFakeClient(t, Options{ConnMaxLifetime: test.lifetime}, "192.0.2.1")
			defer c.Close()
			grown(t, c, 4)
			f.set("192.0.2.9")
			wait := test.lifetime
			if wait <= 0 {
				wait = 24 * time.Hour
			}
			for range 100 {
				time.Sleep(wait / 99)
				if _, err := c.Get(t.Context(), "k"); err != ErrCacheMiss {
					t.Fatalf("Get = %v, want %v", err, ErrCacheMiss)
				}
			}
			got := peers(c)
			if moved := len(got) > 0 && got[0] == "192.0.2.9"; moved != test.moves {
				t.Errorf("ConnMaxLifetime %v: connections to %v after that time", test.lifetime, got)
			}
		})
	}
}

// TestName_AddressesTakeTurns: each 10 to 250 ms after the one before it, all within
// half of Options.Timeout, and one that drops packets costs that once.
func TestName_AddressesTakeTurns(t *testing.T) {
	const ms = time.Millisecond
	addrs := []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.6", "192.0.2.7", "192.0.2.8"}
	for _, test := range []struct {
		timeout time.Duration
		addrs   int
		delay   time.Duration
	}{
		{time.Second, 2, 250 * ms},
		{10 * time.Second, 4, 250 * ms}, // no more
		{-1, 2, 250 * ms},
		{300 * ms, 3, 50 * ms},
		{100 * ms, 2, 25 * ms},
		{100 * ms, 8, 10 * ms}, // no less: half of Timeout is over with the sixth
	} {
		synctest.Test(t, func(t *testing.T) {
			f, c := newFakeClient(t, Options{Timeout: test.timeout}, addrs[:test.addrs]...)
			defer c.Close()
			for _, addr := range addrs[:test.addrs-1] {
				f.switchOff(addr, "drop")
			}
			start := time.Now()
			if _, err := c.Get(t.Context(), "k"); err != ErrCacheMiss {
				t.Errorf("Get = %v, want %v", err, ErrCacheMiss)
			}
			for i, at := range f.times {
				if got, want := at.Sub(start), time.Duration(i)*test.delay; got != want {
					t.Errorf("Timeout %v: address %d of %d was tried after %v, want %v", test.timeout, i+1, test.addrs, got, want)
				}
			}
			start = time.Now()
			c.topology.Load().nodes[0].grow()
			synctest.Wait()
			if got := peers(c); len(got) != 2 || time.Since(start) > 0 {
				t.Errorf("connections to %v after %v, want a second one at once", got, time.Since(start))
			}
		})
	}
}

// TestName_MovesAtTheThirdAnswer without the address of the open connections, and
// with a DialContext at the third connection that leads elsewhere.
func TestName_MovesAtTheThirdAnswer(t *testing.T) {
	for _, own := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var f *fakeNetwork
			opts := Options{MaxConns: 64}
			if own {
				opts.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
					ips, _ := f.resolve(ctx, "")
					return f.dial(ctx, network, net.JoinHostPort(ips[0].String(), "11211"))
				}
			}
			var c *Client
			f, c = newFakeClient(t, opts, "192.0.2.1")
			defer c.Close()
			grown(t, c, 3)
			grow := func() []string {
				time.Sleep(time.Second) // beyond the pause after a connection that led elsewhere
				c.topology.Load().nodes[0].grow()
				synctest.Wait()
				return slices.Compact(peers(c))
			}
			for round := range 3 { // each but the last has an answer with the address in between
				f.set("192.0.2.9")
				for answer := 1; answer <= 2; answer++ {
					if got := grow(); len(got) != 1 || got[0] != "192.0.2.1" {
						t.Fatalf("DialContext %v, round %d: connections to %v after %d answers without it", own, round, got, answer)
					}
				}
				if round < 2 {
					f.set("192.0.2.1")
					grow()
				}
			}
			if got := grow(); len(got) != 1 || got[0] != "192.0.2.9" {
				t.Errorf("DialContext %v: connections to %v after the third answer, want the new address", own, got)
			}
		})
	}
}

// TestConnMaxLifetime_UpToAQuarterLess: connections do not end together.
func TestConnMaxLifetime_UpToAQuarterLess(t *testing.T) {
	for _, test := range []struct{ option, want time.Duration }{{0, 24 * time.Hour}, {time.Minute, time.Minute}} {
		c, err := New([]string{"cache"}, &Options{ConnMaxLifetime: test.option})
		if err != nil {
			t.Fatal(err)
		}
		least, most := noDeadline, int64(0)
		for range 1000 {
			lasts := c.lifetime(0)
			least, most = min(least, lasts), max(most, lasts)
		}
		whole := int64(test.want)
		if least < whole*3/4 || least > whole*4/5 || most > whole || most < whole*19/20 {
			t.Errorf("ConnMaxLifetime %v: %v to %v, want three quarters to all of %v", test.option, time.Duration(least), time.Duration(most), test.want)
		}
		_ = c.Close()
	}
}
