package faultproxy

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// echo starts a server that sends back what it gets, and returns its address.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				io.Copy(conn, conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		wg.Wait()
	})
	return listener.Addr().String()
}

// connect returns a proxy with faults f before an echo server, and a connection
// through it.
func connect(t *testing.T, f Faults) (*Proxy, net.Conn) {
	t.Helper()
	p := Start(t, echo(t))
	p.Use(f)
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return p, conn
}

// send writes text and returns what comes back of it, and how that ended.
func send(conn net.Conn, text string) (string, error) {
	if _, err := io.WriteString(conn, text); err != nil {
		return "", err
	}
	answer := make([]byte, len(text))
	n, err := io.ReadFull(conn, answer)
	return string(answer[:n]), err
}

func TestProxy_ForwardsUntouched(t *testing.T) {
	p, conn := connect(t, Faults{})
	want := strings.Repeat("0123456789", 10_000)
	if got, err := send(conn, want); got != want || err != nil {
		t.Errorf("%d bytes came back, %v, want all %d as sent", len(got), err, len(want))
	}
	if p.Accepted() != 1 || p.Live() != 1 {
		t.Errorf("Accepted() = %d, Live() = %d, want 1 and 1", p.Accepted(), p.Live())
	}
}

func TestProxy_Cut(t *testing.T) {
	for _, test := range []struct {
		name   string
		faults Faults
		want   string
		err    error
	}{
		{"response", Faults{Responses: Direction{Cut: true, After: 3}}, "abc", io.ErrUnexpectedEOF},
		{"response at once", Faults{Responses: Direction{Cut: true}}, "", io.EOF},
		{"response in pieces", Faults{Responses: Direction{Cut: true, After: 3, Piece: 1}}, "abc", io.ErrUnexpectedEOF},
		{"response with reset", Faults{Responses: Direction{Cut: true, Reset: true}}, "", syscall.ECONNRESET},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, conn := connect(t, test.faults)
			got, err := send(conn, "abcdef")
			if got != test.want || !errors.Is(err, test.err) {
				t.Errorf("send = %q, %v, want %q, %v", got, err, test.want, test.err)
			}
		})
	}
}

func TestProxy_CutRequestReachesTheServerInPart(t *testing.T) {
	_, conn := connect(t, Faults{Requests: Direction{Cut: true, After: 3}})
	// The echo of what has passed may or may not come back before the cut does.
	if got, err := send(conn, "abcdef"); !strings.HasPrefix("abc", got) || err == nil {
		t.Errorf("send = %q, %v, want at most abc and an error", got, err)
	}
}

func TestProxy_RefuseResets(t *testing.T) {
	p := Start(t, echo(t))
	p.Use(Faults{Refuse: true})
	conn, err := net.Dial("tcp", p.Addr())
	if err == nil { // the reset may also come before Dial returns
		defer conn.Close()
		_, err = conn.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a refused connection = %v, want a reset", err)
	}
}

func TestProxy_CutAll(t *testing.T) {
	p, conn := connect(t, Faults{})
	if _, err := send(conn, "x"); err != nil {
		t.Fatal(err)
	}
	p.CutAll(true)
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("Read after CutAll(true) = %v, want a reset", err)
	}
}

func TestProxy_SwallowLeavesTheConnection(t *testing.T) {
	p, conn := connect(t, Faults{Responses: Direction{Swallow: true}})
	if err := conn.SetDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if got, err := send(conn, "x"); got != "" || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("send = %q, %v, want silence", got, err)
	}
	p.Use(Faults{})
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if got, err := send(conn, "y"); got != "y" || err != nil {
		t.Errorf("send after the silence = %q, %v, want y", got, err)
	}
}

func TestProxy_ForgetsConnectionsThatExist(t *testing.T) {
	p, conn := connect(t, Faults{})
	if _, err := send(conn, "x"); err != nil {
		t.Fatal(err)
	}
	p.Forget()
	if err := conn.SetDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if got, err := send(conn, "x"); got != "" || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("send = %q, %v, want silence", got, err)
	}
	fresh, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	if got, err := send(fresh, "y"); got != "y" || err != nil {
		t.Errorf("send on a new connection = %q, %v, want y", got, err)
	}
}

func TestProxy_StallsConnectionsThatExist(t *testing.T) {
	p, conn := connect(t, Faults{})
	if _, err := send(conn, "x"); err != nil {
		t.Fatal(err)
	}
	release := make(chan struct{})
	p.Stall(release)
	if _, err := io.WriteString(conn, "late"); err != nil {
		t.Fatal(err)
	}
	fresh, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	if got, err := send(fresh, "y"); got != "y" || err != nil {
		t.Errorf("send on a new connection = %q, %v, want y", got, err)
	}
	close(release)
	answer := make([]byte, 4)
	if _, err := io.ReadFull(conn, answer); string(answer) != "late" || err != nil {
		t.Errorf("after the stall = %q, %v, want late", answer, err)
	}
}

func TestProxy_CorruptAndPiecesAndDelay(t *testing.T) {
	const delay = time.Millisecond
	_, conn := connect(t, Faults{
		Requests:  Direction{Piece: 1, Delay: delay},
		Responses: Direction{Corrupt: func(p []byte) { copy(p, bytes.ToUpper(p)) }},
	})
	start := time.Now()
	if got, err := send(conn, "abcdef"); got != "ABCDEF" || err != nil {
		t.Errorf("send = %q, %v, want ABCDEF", got, err)
	}
	if took := time.Since(start); took < 6*delay {
		t.Errorf("six pieces took %v, want at least %v", took, 6*delay)
	}
}

func TestProxy_CloseEndsItsGoroutines(t *testing.T) {
	p, conn := connect(t, Faults{Requests: Direction{Delay: time.Hour}})
	if _, err := io.WriteString(conn, "x"); err != nil {
		t.Fatal(err)
	}
	for p.Live() == 0 { // until the proxy has the connection
		time.Sleep(time.Millisecond)
	}
	p.Close() // returns only when they have ended
	if p.Live() != 0 {
		t.Errorf("Live() = %d after Close, want 0", p.Live())
	}
	p.Close()
}

func TestProxy_HoldDeliversAfterTheSenderHasGone(t *testing.T) {
	got := make(chan string, 1)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		p, _ := io.ReadAll(conn)
		got <- string(p)
	}()
	p := Start(t, listener.Addr().String())
	release := make(chan struct{})
	p.Use(Faults{Requests: Direction{Hold: release}})
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(conn, "late")
	conn.Close()
	select {
	case early := <-got:
		t.Errorf("the server got %q while it was held", early)
	default:
	}
	close(release)
	if late := <-got; late != "late" {
		t.Errorf("the server got %q, want late", late)
	}
}

func TestProxy_OneDirectionMayEnd(t *testing.T) {
	_, conn := connect(t, Faults{})
	io.WriteString(conn, "all")
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(conn); string(got) != "all" || err != nil {
		t.Errorf("after the end of the requests = %q, %v, want all", got, err)
	}
}

func TestProxy_DropsWhatItIsTold(t *testing.T) {
	_, conn := connect(t, Faults{Requests: Direction{Drop: func(p []byte) bool { return p[0] == 'x' }}})
	if _, err := io.WriteString(conn, "x"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond) // two pieces, not one
	if got, err := send(conn, "abc"); got != "abc" || err != nil {
		t.Errorf("send = %q, %v, want abc, and nothing of what was before", got, err)
	}
}

func TestProxy_ForgetsOneConnection(t *testing.T) {
	p, first := connect(t, Faults{})
	second, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	conns := []net.Conn{first, second}
	for _, conn := range conns {
		if got, err := send(conn, "abc"); got != "abc" {
			t.Fatalf("send = %q, %v", got, err)
		}
	}
	p.ForgetOne()
	answered := 0
	for _, conn := range conns {
		_ = conn.SetDeadline(time.Now().Add(100 * time.Millisecond))
		if got, _ := send(conn, "abc"); got == "abc" {
			answered++
		}
	}
	if answered != 1 {
		t.Errorf("%d of two connections go on, want one", answered)
	}
}
