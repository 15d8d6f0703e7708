package memcachedtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestMemConn_CarriesBytesInOrder(t *testing.T) {
	a, b := memPipe("a", "b")
	want := bytes.Repeat([]byte("0123456789abcdef"), 3*memBuffer/16)
	go func() {
		defer a.Close()
		for rest := want; len(rest) > 0; {
			n := min(len(rest), 10007)
			if _, err := a.Write(rest[:n]); err != nil {
				t.Errorf("Write = %v", err)
				return
			}
			rest = rest[n:]
		}
	}()
	got, err := io.ReadAll(b)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("read %d bytes and %v, want the %d bytes written", len(got), err, len(want))
	}
}

func TestMemConn_BuffersUpToALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memPipe("a", "b")
		a.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := a.Write(make([]byte, memBuffer+1))
		if n != memBuffer || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write = %d, %v, want %d and a timeout", n, err, memBuffer)
		}
		if n, err := b.Read(make([]byte, 10)); n != 10 || err != nil {
			t.Errorf("Read = %d, %v, want 10", n, err)
		}
		a.SetWriteDeadline(time.Time{})
		if n, err := a.Write(make([]byte, 10)); n != 10 || err != nil {
			t.Errorf("Write into the room made = %d, %v, want 10", n, err)
		}
	})
}

func TestMemConn_Deadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memPipe("a", "b")
		start := time.Now()
		a.SetReadDeadline(start.Add(time.Minute))
		_, err := a.Read(make([]byte, 1))
		var netErr net.Error
		if took := time.Since(start); took != time.Minute || !errors.As(err, &netErr) || !netErr.Timeout() {
			t.Errorf("Read = %v after %v, want a timeout after a minute", err, took)
		}
		go func() {
			time.Sleep(time.Second)
			a.SetReadDeadline(time.Unix(0, 0)) // interrupts, as cancellation does
		}()
		a.SetReadDeadline(time.Time{})
		start = time.Now()
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("Read = %v after %v, want a timeout after a second", err, time.Since(start))
		}
		a.SetDeadline(time.Now().Add(time.Second))
		a.SetDeadline(time.Time{})
		time.Sleep(2 * time.Second) // the deadline taken back does not count
		b.Write([]byte("x"))
		if n, err := a.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Errorf("Read = %d, %v, want 1", n, err)
		}
	})
}

func TestMemConn_ATimerThatComesTooLateIsKnown(t *testing.T) {
	a, _ := memPipe("a", "b")
	a.SetReadDeadline(time.Now().Add(time.Hour))
	d := &a.in.reader
	late := d.setting
	a.SetReadDeadline(time.Time{})
	d.expire(late) // it had begun when it was stopped
	if d.expired {
		t.Error("a deadline that was taken back has passed")
	}
}

func TestMemConn_Close(t *testing.T) {
	a, b := memPipe("a", "b")
	a.Write([]byte("last"))
	a.Close()
	a.Close()
	if got, err := io.ReadAll(b); string(got) != "last" || err != nil {
		t.Errorf("the other end reads %q, %v, want what was written before", got, err)
	}
	if _, err := b.Write([]byte("x")); !errors.Is(err, errReset) {
		t.Errorf("the other end's Write = %v, want %v", err, errReset)
	}
	if _, err := a.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read of the closed end = %v, want %v", err, net.ErrClosed)
	}
	if _, err := a.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write of the closed end = %v, want %v", err, net.ErrClosed)
	}
}

func TestMemConn_CloseInterruptsWaiting(t *testing.T) {
	for name, wait := range map[string]func(net.Conn) error{
		"read":  func(nc net.Conn) error { _, err := nc.Read(make([]byte, 1)); return err },
		"write": func(nc net.Conn) error { _, err := nc.Write(make([]byte, memBuffer+1)); return err },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, _ := memPipe("a", "b")
				done := make(chan error)
				go func() { done <- wait(a) }()
				synctest.Wait()
				a.Close()
				if err := <-done; !errors.Is(err, net.ErrClosed) {
					t.Errorf("it ended with %v, want %v", err, net.ErrClosed)
				}
			})
		})
	}
}

func TestDialer_FindsServersByAddress(t *testing.T) {
	a, b := Start(t, nil), Start(t, nil)
	dial := Dialer(a, b)
	nc, err := dial(t.Context(), "tcp", b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	ask(t, nc, setRequest("k", "v"))
	if len(a.Keys()) != 0 || len(b.Keys()) != 1 {
		t.Errorf("keys at a: %q, at b: %q, want one at b", a.Keys(), b.Keys())
	}
	if nc, err := dial(t.Context(), "tcp", "elsewhere:11211"); err == nil {
		nc.Close()
		t.Error("Dialer found a server at an address of none")
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := dial(cancelled, "tcp", a.Addr()); !errors.Is(err, context.Canceled) {
		t.Errorf("dialing with a cancelled context = %v, want %v", err, context.Canceled)
	}
}
