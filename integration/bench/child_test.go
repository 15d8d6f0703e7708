package main

import (
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestKeepAwake_StartsOneForEachProcessorAndEnds(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has the idle policy by which processors are kept awake")
	}
	stop, err := keepAwake(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestKeepAwake_SaysWhatIsMissing(t *testing.T) {
	t.Setenv("PATH", "")
	if _, err := keepAwake(t.Context()); !errors.Is(err, errNoAwake) {
		t.Errorf("keepAwake = %v, want errNoAwake", err)
	}
}

func TestRunLoad_MeasuresInAProcessOfItsOwn(t *testing.T) {
	e := startTest(t)
	program, err := thisProgram()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.dataOf(gomemcachePeer{}, e.server, workloads[0]); err != nil {
		t.Fatal(err)
	}
	order := loadOrder{Peer: ours, Server: e.server.addrs[0], Load: "get", Callers: 2, Warmup: time.Millisecond, Duration: 50 * time.Millisecond}
	m, err := runLoad(t.Context(), program, order, "GOMAXPROCS=1")
	if err != nil || m[metricRate] <= 0 || m[metricCPU] <= 0 {
		t.Errorf("runLoad = %v, %v", m, err)
	}
	order.Server = "127.0.0.1:1"
	if m, err := runLoad(t.Context(), program, order); err == nil {
		t.Errorf("runLoad without a server = %v, want an error", m)
	}
	order.Peer = "nobody"
	if m, err := runLoad(t.Context(), program, order); err == nil || !strings.Contains(err.Error(), "did not start") {
		t.Errorf("runLoad of nobody = %v, %v, want an error", m, err)
	}
}

// echo answers on a listener with what it gets.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(conn, conn)
				conn.Close()
			}()
		}
	}()
	return l.Addr().String()
}

func TestDelay_HoldsBackAndKeepsEveryByte(t *testing.T) {
	program, err := thisProgram()
	if err != nil {
		t.Fatal(err)
	}
	const roundTrip = 4 * time.Millisecond
	p, err := startDelay(t.Context(), program, delayOrder{Server: echo(t), RoundTrip: roundTrip})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	}()
	conn, err := net.Dial("tcp", p.addrs[0])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	want := strings.Repeat("0123456789", 100_000)
	start := time.Now()
	go func() {
		_, _ = io.WriteString(conn, want)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
		t.Errorf("%d bytes came back changed: %v", len(got), err)
	}
	if took := time.Since(start); took < roundTrip {
		t.Errorf("came back after %v, want %v or more", took, roundTrip)
	}
}
