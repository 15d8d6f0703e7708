package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"
)

// Metrics of the memory rows.
const (
	metricHeap   = "heap"   // live heap bytes per blocked caller
	metricStack  = "stack"  // stack bytes per blocked caller
	metricGrowth = "growth" // bytes by which the live heap grew
)

// blockedCallers is how many goroutines wait on a silent server. Peers with a
// connection per caller get fewer, because of the limit on open files.
const (
	blockedCallers   = 10_000
	blockedCallersFD = 2_000
)

// memoryRows are the rows about memory.
func memoryRows() []row {
	return []row{
		{
			Name: "blocked", Group: groupMemory, Once: true, Callers: blockedCallers,
			Title: "goroutines blocked in Get on a silent server (10,000; peers with a connection each 2,000)",
			Peers: []string{ours, gomemcache},
			measure: func(_ *env, peer string, _ timing) (map[string]float64, error) {
				return measureBlocked(peerByName(peer))
			},
		},
		{
			Name: "million", Group: groupMemory, Once: true, Callers: 64,
			Title: "live heap before and after a million Gets, 64 callers",
			Peers: []string{ours, gomemcache},
			measure: func(e *env, peer string, _ timing) (map[string]float64, error) {
				data, err := e.data(100)
				if err != nil {
					return nil, err
				}
				return measureMillion(peerByName(peer), e.server.addrs[:1], data)
			},
		},
	}
}

// untimedPeer opens clients whose operations wait without a limit.
type untimedPeer interface {
	OpenUntimed(servers []string, callers int) (Client, error)
}

// measureBlocked lets many goroutines wait in Get and divides what the process
// holds more by their number.
func measureBlocked(peer Peer) (map[string]float64, error) {
	silent, err := startSilent()
	if err != nil {
		return nil, err
	}
	defer silent.Close()
	untimed, ok := peer.(untimedPeer)
	if !ok {
		return nil, errUnsupported
	}
	callers := blockedCallersFD
	if peer.Name() == ours {
		callers = blockedCallers
	}
	client, err := untimed.OpenUntimed([]string{silent.Addr().String()}, callers)
	if err != nil {
		return nil, err
	}
	before := liveMemory()
	var (
		wg       sync.WaitGroup
		returned atomic.Int64
	)
	for range callers {
		wg.Go(func() {
			_, _ = client.Get("bench:blocked")
			returned.Add(1)
		})
	}
	quiet := awaitQuiet(time.Minute)
	after := liveMemory()
	early := returned.Load()
	silent.Close()
	client.Close()
	wg.Wait()
	if !quiet || early > 0 {
		return nil, fmt.Errorf("bench: %d of %d callers did not stay blocked in Get", early, callers)
	}
	n := float64(callers)
	return map[string]float64{
		metricHeap:  float64(after.HeapAlloc-before.HeapAlloc) / n,
		metricStack: float64(after.StackInuse-before.StackInuse) / n,
	}, nil
}

// liveMemory collects garbage, so that what is left is in use.
func liveMemory() runtime.MemStats {
	runtime.GC()
	runtime.GC() // the second frees what finalizers and pools let go
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m
}

// awaitQuiet waits until no goroutine but this one can run, seen in twenty
// looks in a row.
func awaitQuiet(limit time.Duration) bool {
	looks := []metrics.Sample{
		{Name: "/sched/goroutines/runnable:goroutines"},
		{Name: "/sched/goroutines/running:goroutines"},
	}
	quiet := 0
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
		metrics.Read(looks)
		if looks[0].Value.Uint64() == 0 && looks[1].Value.Uint64() <= 1 {
			quiet++
		} else {
			quiet = 0
		}
		if quiet == 20 {
			return true
		}
	}
	return false
}

// measureMillion compares the live heap after a warm-up with that after a
// million operations more.
func measureMillion(peer Peer, servers []string, data *dataset) (map[string]float64, error) {
	const callers = 64
	client, err := peer.Open(servers, callers)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	gets := func(total int) error {
		var (
			wg   sync.WaitGroup
			errs = make([]error, callers)
		)
		for id := range callers {
			wg.Go(func() {
				w := newWorker(workloads[0], data, id)
				for range total / callers {
					if errs[id] = doGet(client, w); errs[id] != nil {
						return
					}
				}
			})
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
		return nil
	}
	if err := gets(100_000); err != nil {
		return nil, err
	}
	before := liveMemory()
	if err := gets(1_000_000); err != nil {
		return nil, err
	}
	after := liveMemory()
	return map[string]float64{metricGrowth: float64(after.HeapAlloc) - float64(before.HeapAlloc)}, nil
}

// silentServer accepts connections and requests and answers none of them but
// those of a handshake in the binary protocol.
type silentServer struct {
	net.Listener

	mu    sync.Mutex // guards conns
	conns []net.Conn
}

func startSilent() (*silentServer, error) {
	var config net.ListenConfig
	l, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &silentServer{Listener: l}
	go s.accept()
	return s, nil
}

func (s *silentServer) accept() {
	for {
		conn, err := s.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns = append(s.conns, conn)
		s.mu.Unlock()
		go s.swallow(conn)
	}
}

// swallow answers NOOP and VERSION, which a client may greet a server with, and
// reads on over everything else. Text requests it does not even take apart.
func (s *silentServer) swallow(conn net.Conn) {
	const noop, version = 0x0a, 0x0b
	header := make([]byte, 24)
	for {
		if _, err := io.ReadFull(conn, header); err != nil {
			return
		}
		if header[0] != 0x80 {
			_, _ = io.CopyBuffer(io.Discard, struct{ io.Reader }{conn}, header)
			return
		}
		body := int64(binary.BigEndian.Uint32(header[8:]))
		if _, err := io.CopyN(io.Discard, conn, body); err != nil {
			return
		}
		if header[1] == noop || header[1] == version {
			answer := make([]byte, 24)
			answer[0], answer[1] = 0x81, header[1]
			copy(answer[12:16], header[12:16])
			if _, err := conn.Write(answer); err != nil {
				return
			}
		}
	}
}

// Close ends the listener and all connections.
func (s *silentServer) Close() error {
	err := s.Listener.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.conns {
		conn.Close()
	}
	return err
}
