//go:build linux && !386 && !s390x && !msan

package memcached

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// socketPair returns a connection as newSocket makes it, the one below, and the other
// side.
func socketPair(t *testing.T, network string) (s, below, peer net.Conn) {
	t.Helper()
	addr := "127.0.0.1:0"
	if network == "unix" {
		addr = filepath.Join(t.TempDir(), "s")
	}
	l, err := net.Listen(network, addr)
	must(t, err)
	defer l.Close()
	below, err = net.Dial(network, l.Addr().String())
	must(t, err)
	peer, err = l.Accept()
	must(t, err)
	s = newSocket(below)
	if _, ok := s.(*socket); !ok {
		t.Fatalf("a %T", s)
	}
	t.Cleanup(func() { below.Close(); peer.Close() })
	return s, below, peer
}

// TestSocket_DoesAsPackageNet makes the same happen to a socket and to the
// connection of package net: what they return is the same, but for the ports.
func TestSocket_DoesAsPackageNet(t *testing.T) {
	ports := regexp.MustCompile(`127\.0\.0\.1:\d+`)
	paths := regexp.MustCompile(`/\S+/s\b`)
	type outcome struct {
		N       int
		Data    string
		Text    string
		EOF     bool
		Timeout bool
		Closed  bool
	}
	cases := map[string]func(t *testing.T, c, peer net.Conn, b []byte) (int, error){
		"read": func(t *testing.T, c, peer net.Conn, b []byte) (int, error) {
			_, err := peer.Write([]byte("hello"))
			must(t, err)
			return c.Read(b)
		},
		"read that waits": func(t *testing.T, c, peer net.Conn, b []byte) (int, error) {
			time.AfterFunc(5*time.Millisecond, func() { _, _ = peer.Write([]byte("hello")) })
			return c.Read(b)
		},
		"read of nothing": func(t *testing.T, c, peer net.Conn, b []byte) (int, error) { return c.Read(b[:0]) },
		"read at the end": func(t *testing.T, c, peer net.Conn, b []byte) (int, error) {
			must(t, peer.Close())
			return c.Read(b)
		},
		"read past its deadline": func(t *testing.T, c, peer net.Conn, b []byte) (int, error) {
			must(t, c.SetReadDeadline(time.Now().Add(time.Millisecond)))
			return c.Read(b)
		},
		"read that a deadline interrupts": func(t *testing.T, c, peer net.Conn, b []byte) (int, error) {
			time.AfterFunc(5*time.Millisecond, func() { _ = c.SetReadDeadline(longAgo) })
			return c.Read(b)
		},
		"read that is closed": func(t *testing.T, c, peer net.Conn, b []byte) (int, error) {
			time.AfterFunc(5*time.Millisecond, func() { _ = c.Close() })
			return c.Read(b)
		},
		"read of one that was closed": func(t *testing.T, c, peer net.Conn, b []byte) (int, error) {
			must(t, c.Close())
			return c.Read(b)
		},
		"read after a reset": func(t *testing.T, c, peer net.Conn, b []byte) (int, error) {
			reset(t, peer)
			return c.Read(b)
		},
		"write":            func(t *testing.T, c, peer net.Conn, b []byte) (int, error) { return c.Write([]byte("hello")) },
		"write of nothing": func(t *testing.T, c, peer net.Conn, b []byte) (int, error) { return c.Write(nil) },
		"write past its deadline": func(t *testing.T, c, peer net.Conn, b []byte) (int, error) {
			must(t, c.SetWriteDeadline(longAgo))
			return c.Write([]byte("hello"))
		},
		"write after a reset": func(t *testing.T, c, peer net.Conn, b []byte) (int, error) {
			reset(t, peer)
			if _, err := c.Read(b); err == nil {
				t.Fatal("no error after a reset")
			}
			return c.Write([]byte("hello"))
		},
		"write to one that was closed": func(t *testing.T, c, peer net.Conn, b []byte) (int, error) {
			must(t, c.Close())
			return c.Write([]byte("hello"))
		},
	}
	for _, network := range []string{"tcp", "unix"} {
		for name, do := range cases {
			if network == "unix" && strings.Contains(name, "reset") {
				continue // there are none
			}
			t.Run(network+"/"+name, func(t *testing.T) {
				var outcomes [2]outcome
				for i := range outcomes {
					s, below, peer := socketPair(t, network)
					c := below
					if i == 1 {
						c = s
					}
					b := make([]byte, 64)
					n, err := do(t, c, peer, b)
					o := outcome{N: n, Data: string(b[:n]), EOF: err == io.EOF, Timeout: errors.Is(err, os.ErrDeadlineExceeded), Closed: errors.Is(err, net.ErrClosed)}
					if err != nil {
						o.Text = paths.ReplaceAllString(ports.ReplaceAllString(err.Error(), "ADDR"), "PATH")
						if o.Timeout != isTimeout(err) {
							t.Errorf("isTimeout of %v: %t", err, !o.Timeout)
						}
					}
					outcomes[i] = o
				}
				if outcomes[0] != outcomes[1] {
					t.Errorf("%+v; package net: %+v", outcomes[1], outcomes[0])
				}
			})
		}
	}
}

// reset makes the other side end with a reset.
func reset(t *testing.T, peer net.Conn) {
	t.Helper()
	must(t, peer.(*net.TCPConn).SetLinger(0))
	must(t, peer.Close())
}

// TestSocket_DoesNotBlockWhereTheDescriptorDoes: os.File.Fd lets the descriptor block,
// and with it that of the connection. Who waits then has no deadline with package net.
func TestSocket_DoesNotBlockWhereTheDescriptorDoes(t *testing.T) {
	s, below, peer := socketPair(t, "tcp")
	f, err := below.(*net.TCPConn).File()
	must(t, err)
	defer f.Close()
	f.Fd()
	must(t, s.SetDeadline(time.Now().Add(10*time.Millisecond)))
	b := make([]byte, 1<<10)
	if _, err := s.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read = %v, want the deadline", err)
	}
	for err = nil; err == nil; {
		_, err = s.Write(b)
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Write = %v, want the deadline", err)
	}
	must(t, s.SetDeadline(time.Time{}))
	_, err = peer.Write([]byte("hello"))
	must(t, err)
	if n, err := s.Read(b); n != 5 || err != nil {
		t.Errorf("Read = %d, %v, want 5 bytes", n, err)
	}
}

// TestSocket_WritesInPieces writes more than the kernel takes at once to a reader
// that comes late, in pieces of all sizes: it gets everything, in order.
func TestSocket_WritesInPieces(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			s, _, peer := socketPair(t, network)
			want := make([]byte, 16<<20)
			for i := range want {
				want[i] = byte(i>>8 ^ i)
			}
			wrote := make(chan error, 1)
			go func() {
				rest := want
				for size := 1; len(rest) > 0; size = size*3%(2*quickSize) + 1 {
					n := min(size, len(rest))
					if m, err := s.Write(rest[:n]); err != nil || m != n {
						wrote <- errors.Join(err, io.ErrShortWrite)
						return
					}
					rest = rest[n:]
				}
				wrote <- nil
			}()
			got := make([]byte, len(want))
			_, err := io.ReadFull(newSocket(peer), got)
			must(t, err)
			must(t, <-wrote)
			if !bytes.Equal(want, got) {
				t.Error("what was read is not what was written")
			}
		})
	}
}

// TestSocket_TurnsAreNoRace takes turns over a connection with another goroutine of
// the process: the race detector knows that the one comes after the other, as it does
// with package net. It fails with -race only.
func TestSocket_TurnsAreNoRace(t *testing.T) {
	s, _, peer := socketPair(t, "tcp")
	turns, ended := 0, make(chan error, 1)
	go func() {
		var err error
		for b := make([]byte, 1); err == nil; {
			if _, err = peer.Read(b); err == nil {
				turns++
				_, err = peer.Write(b)
			}
		}
		ended <- err
	}()
	for b := make([]byte, 1); turns < 20; {
		turns++
		_, err := s.Write(b)
		must(t, err)
		_, err = s.Read(b)
		must(t, err)
	}
	must(t, s.Close())
	if err := <-ended; err != io.EOF {
		t.Error(err)
	}
}

// TestSocket_IsOnlyWhatPackageNetMade leaves alone what somebody wrapped: its reads
// and writes may be more than those of the socket.
func TestSocket_IsOnlyWhatPackageNetMade(t *testing.T) {
	_, below, _ := socketPair(t, "tcp")
	wrapped := struct{ *net.TCPConn }{below.(*net.TCPConn)}
	if c := newSocket(wrapped); c != net.Conn(wrapped) {
		t.Errorf("a wrapped connection became a %T", c)
	}
	one, other := net.Pipe()
	defer one.Close()
	defer other.Close()
	if c := newSocket(one); c != one {
		t.Errorf("a pipe became a %T", c)
	}
}

// TestSocket_HasNoAddress looks at errors of a connection that package net knows no
// other side of.
func TestSocket_HasNoAddress(t *testing.T) {
	fileConn := func() net.Conn {
		_, below, peer := socketPair(t, "tcp")
		f, err := below.(*net.TCPConn).File()
		must(t, err)
		defer f.Close()
		reset(t, peer)
		if _, err := below.Read(make([]byte, 1)); err == nil {
			t.Fatal("no error after a reset")
		}
		nc, err := net.FileConn(f)
		must(t, err)
		t.Cleanup(func() { nc.Close() })
		if nc.RemoteAddr() != nil {
			t.Fatalf("the other side is %v", nc.RemoteAddr())
		}
		return nc
	}
	port := regexp.MustCompile(`:\d+`)
	text := func(c net.Conn) string {
		_, err := c.Write([]byte("hello"))
		if !errors.Is(err, syscall.EPIPE) {
			t.Fatalf("%T: %v", c, err)
		}
		return port.ReplaceAllString(err.Error(), "")
	}
	s := newSocket(fileConn())
	if !isSocket(s) {
		t.Fatalf("a %T", s)
	}
	if got, want := text(s), text(fileConn()); got != want {
		t.Errorf("%q; package net: %q", got, want)
	}
}

// TestSocket_WritesNothing does not try for ever when the kernel takes nothing.
func TestSocket_WritesNothing(t *testing.T) {
	_, below, _ := socketPair(t, "tcp")
	s := newSocket(below).(*socket)
	s.out.try = func(uintptr) bool { return true }
	if n, err := s.Write([]byte("hello")); n != 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d, %v", n, err)
	}
}

// TestSocket_IsWhatConnectionsReadAndWrite also looks below TLS.
func TestSocket_IsWhatConnectionsReadAndWrite(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	n := newNode(&Client{opts: Options{TLS: &tls.Config{InsecureSkipVerify: true}}}, address{})
	tcp, _, _ := socketPair(t, "tcp")
	if c := newConn(n, bare(tcp), false); !isSocket(c.stream) || isSocket(c.nc) {
		t.Errorf("a connection reads and writes a %T, and waits with a %T", c.stream, c.nc)
	}
	below, err := net.Dial("tcp", server.Listener.Addr().String())
	must(t, err)
	defer below.Close()
	nc, err := n.encrypt(&attempt{ctx: t.Context()}, below)
	must(t, err)
	under := nc.(*tls.Conn).NetConn()
	if c := newConn(n, nc, true); c.stream != io.ReadWriter(nc) || !isSocket(under) || c.raw == nil {
		t.Errorf("with TLS it reads and writes a %T over a %T", c.stream, under)
	}
}

// TestSocket_CallersWriteWhateverIsUnanswered, but no values from where they are, and
// nothing where the call is forbidden.
func TestSocket_CallersWriteWhateverIsUnanswered(t *testing.T) {
	s, _, _ := socketPair(t, "tcp")
	for name, test := range map[string]struct {
		unsent    int
		segments  []segment
		forbidden bool
		want      bool
	}{
		"as much as in one run":   {quickRun, nil, false, true},
		"more":                    {quickRun + 1, nil, false, false},
		"a value where it is":     {largeValue, []segment{{}}, false, false},
		"what package net writes": {100, nil, true, false},
	} {
		c := &conn{stream: s, raw: s.(*socket).raw}
		c.out.queued, c.out.unsent, c.out.segments = 100*quickRun, test.unsent, test.segments
		s.(*socket).out.forbidden = test.forbidden
		if got := c.fitsInline(); got != test.want {
			t.Errorf("%s: fitsInline() = %v, want %v", name, got, test.want)
		}
	}
}

// TestSocket_HasATimerSoon holds what interrupts goroutines that compute for long:
// see armRead.
func TestSocket_HasATimerSoon(t *testing.T) {
	tcp, below, _ := socketPair(t, "tcp")
	n := newNode(&Client{start: time.Now()}, address{})
	inTLS := func(nc net.Conn) net.Conn { return tls.Client(nc, &tls.Config{InsecureSkipVerify: true}) }
	const second = int64(time.Second)
	for name, test := range map[string]struct {
		nc                   net.Conn
		now, read, wait, due int64
	}{
		"soon":                         {below, second, second, 2 * second, second + int64(watchEvery)},
		"never otherwise":              {below, second, second, noDeadline, second + int64(watchEvery)},
		"an earlier deadline":          {below, second, second, second + 1, second + 1},
		"a server silent for a second": {below, 2 * second, second, noDeadline, 3 * second},
		"under TLS":                    {inTLS(tcp), second, second, 2 * second, second + int64(watchEvery)},
		"somebody else's connection":   {struct{ net.Conn }{below}, second, second, noDeadline, noDeadline},
		"the same under TLS":           {inTLS(below), second, second, 2 * second, 2 * second},
	} {
		c := newConn(n, test.nc, false)
		c.lastRead.Store(test.read)
		c.armRead(test.now, test.wait)
		if c.in.armed != test.due {
			t.Errorf("%s: a read ends %v after its begin, want %v", name, time.Duration(c.in.armed-test.now), time.Duration(test.due-test.now))
		}
	}
}

// TestSocket_DoesNotAllocate counts allocations of a write and a read.
func TestSocket_DoesNotAllocate(t *testing.T) {
	s, _, peer := socketPair(t, "tcp")
	other := newSocket(peer)
	b := make([]byte, 100)
	n := testing.AllocsPerRun(100, func() {
		_, _ = s.Write(b)
		_, _ = io.ReadFull(other, b)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
