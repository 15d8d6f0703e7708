package memcachedtest

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// ask sends a request and returns the answer.
func ask(t *testing.T, nc net.Conn, request []byte) wire.Frame {
	t.Helper()
	if _, err := nc.Write(request); err != nil {
		t.Fatal(err)
	}
	return receive(t, nc)
}

func receive(t *testing.T, nc net.Conn) wire.Frame {
	t.Helper()
	var f wire.Frame
	if _, err := f.Read(nc, nil, wire.MagicResponse, 2<<20); err != nil {
		t.Fatal(err)
	}
	return f
}

func setRequest(key, value string) []byte {
	return append(wire.AppendStore(nil, wire.OpSet, 0, key, len(value), 0, 0, 0), value...)
}

func getRequest(key string) []byte { return wire.AppendKey(nil, wire.OpGet, 0, key) }

func dialTCP(t *testing.T, s *Server) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return nc
}

func dialMemory(t *testing.T, s *Server) net.Conn {
	t.Helper()
	nc, err := s.DialContext(t.Context(), "tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return nc
}

func TestServer_AnswersOverTCPAndInMemory(t *testing.T) {
	s := Start(t, nil)
	if f := ask(t, dialTCP(t, s), setRequest("k", "value")); f.Status != wire.StatusOK || f.CAS != 1 {
		t.Errorf("SET = %v with CAS %d, want %v with CAS 1", f.Status, f.CAS, wire.StatusOK)
	}
	if f := ask(t, dialMemory(t, s), getRequest("k")); string(f.Value) != "value" {
		t.Errorf("GET = %v %q, want value", f.Status, f.Value)
	}
}

func TestServer_TimeStandsStillForItInsideABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Start(t, nil)
		nc := dialMemory(t, s)
		start := time.Now()
		ask(t, nc, wire.AppendSimple(nil, wire.OpNoop, 2))
		synctest.Wait() // returns only if the server waits durably
		if took := time.Since(start); took != 0 {
			t.Errorf("NOOP took %v, want no time", took)
		}
		s.SetItem(&memcached.Item{Key: "k", TTL: 10 * time.Second})
		time.Sleep(10 * time.Second)
		if item, ok := s.Item("k"); ok {
			t.Errorf("Item(k) after its TTL = %v, want none", item)
		}
	})
}

func TestInBubble(t *testing.T) {
	if inBubble() {
		t.Error("inBubble() outside of a bubble = true")
	}
	synctest.Test(t, func(t *testing.T) {
		done := make(chan bool)
		go func() { done <- inBubble() }()
		if !inBubble() || !<-done {
			t.Error("inBubble() inside a bubble = false")
		}
	})
}

func TestServer_TLS(t *testing.T) {
	serverConfig, clientConfig, err := TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	s := Start(t, &Options{TLS: serverConfig})
	clientConfig.ServerName = "127.0.0.1"
	for name, nc := range map[string]net.Conn{"TCP": dialTCP(t, s), "memory": dialMemory(t, s)} {
		conn := tls.Client(nc, clientConfig)
		if f := ask(t, conn, wire.AppendSimple(nil, wire.OpVersion, 0)); string(f.Value) != version {
			t.Errorf("VERSION over TLS and %s = %q, want %q", name, f.Value, version)
		}
	}
	plain := dialTCP(t, s)
	plain.Write(wire.AppendSimple(nil, wire.OpNoop, 0))
	if b, _ := io.ReadAll(plain); len(b) > 0 && wire.Magic(b[0]) == wire.MagicResponse {
		t.Errorf("a plain request to a TLS server was answered: % x", b)
	}
}

func TestServer_Restart(t *testing.T) {
	s := Start(t, nil)
	nc := dialTCP(t, s)
	ask(t, nc, setRequest("k", "v"))
	addr := s.Addr()
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	if _, err := nc.Read(make([]byte, 1)); err == nil {
		t.Error("the old connection still answers")
	}
	if s.Addr() != addr {
		t.Errorf("Addr() = %s, want %s as before", s.Addr(), addr)
	}
	nc = dialTCP(t, s)
	if f := ask(t, nc, getRequest("k")); f.Status != wire.StatusKeyNotFound {
		t.Errorf("GET after a restart = %v, want %v", f.Status, wire.StatusKeyNotFound)
	}
	if f := ask(t, nc, setRequest("k", "v")); f.CAS != 1 {
		t.Errorf("the first version after a restart is %d, want 1", f.CAS)
	}
}

func TestServer_StopRefusesConnectionsUntilRestart(t *testing.T) {
	s := Start(t, nil)
	s.Stop()
	if nc, err := net.Dial("tcp", s.Addr()); err == nil {
		nc.Close()
		t.Error("a stopped server took a TCP connection")
	}
	if _, err := s.DialContext(t.Context(), "tcp", s.Addr()); !errors.Is(err, errDown) {
		t.Errorf("DialContext on a stopped server = %v, want %v", err, errDown)
	}
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	ask(t, dialTCP(t, s), getRequest("k"))
	ask(t, dialMemory(t, s), getRequest("k"))
}

func TestServer_CloseEndsEverything(t *testing.T) {
	before := runtime.NumGoroutine()
	s, err := NewServer(nil)
	if err != nil {
		t.Fatal(err)
	}
	busy := make(chan struct{})
	s.Intercept(func(r Request) Action {
		switch r.Key {
		case "delayed":
			close(busy)
			return Action{Delay: time.Hour}
		case "held":
			return Action{Until: make(chan struct{})}
		}
		return Action{}
	})
	for _, key := range []string{"delayed", "held", "quick"} {
		nc := dialMemory(t, s)
		if _, err := nc.Write(getRequest(key)); err != nil {
			t.Fatal(err)
		}
	}
	deaf := dialTCP(t, s) // reads nothing, until the server can write no more
	s.SetItem(&memcached.Item{Key: "large", Value: make([]byte, 1<<20-100)})
	for range 30 {
		deaf.Write(getRequest("large"))
	}
	<-busy
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(s.Close)
	}
	wg.Wait()
	if err := s.Restart(); !errors.Is(err, errClosed) {
		t.Errorf("Restart after Close = %v, want %v", err, errClosed)
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond) // goroutines count until they have quite ended
	}
	t.Errorf("%d goroutines before, %d after Close", before, runtime.NumGoroutine())
}

func TestServer_TellsConnectionsAboveTheLimit(t *testing.T) {
	s := Start(t, &Options{MaxConns: 1})
	first := dialTCP(t, s)
	ask(t, first, getRequest("k"))
	b, err := io.ReadAll(dialTCP(t, s))
	if string(b) != tooManyConns || err != nil {
		t.Errorf("the second connection reads %q, %v, want %q", b, err, tooManyConns)
	}
	ask(t, first, getRequest("k"))
}

func TestServer_SetPassword(t *testing.T) {
	s := Start(t, &Options{Users: map[string]string{"user": "old"}})
	auth := func(password string) wire.Status {
		return ask(t, dialMemory(t, s), wire.AppendSASL(nil, wire.OpSASLAuth, 0, "PLAIN", []byte("\x00user\x00"+password))).Status
	}
	if got := auth("old"); got != wire.StatusOK {
		t.Errorf("AUTH with the password = %v, want %v", got, wire.StatusOK)
	}
	s.SetPassword("user", "new")
	if got := auth("old"); got != wire.StatusAuthError {
		t.Errorf("AUTH with the old password = %v, want %v", got, wire.StatusAuthError)
	}
	if got := auth("new"); got != wire.StatusOK {
		t.Errorf("AUTH with the new password = %v, want %v", got, wire.StatusOK)
	}
}

func TestServer_ListsTheMechanismsThatItOffers(t *testing.T) {
	s := Start(t, &Options{Users: map[string]string{}, Mechanisms: []string{"PLAIN", "SCRAM-SHA-1"}})
	nc := dialMemory(t, s)
	if f := ask(t, nc, wire.AppendSimple(nil, wire.OpSASLList, 0)); string(f.Value) != "PLAIN SCRAM-SHA-1" {
		t.Errorf("SASL LIST = %q, want PLAIN SCRAM-SHA-1", f.Value)
	}
	if f := ask(t, nc, wire.AppendSASL(nil, wire.OpSASLAuth, 0, "CRAM-MD5", nil)); f.Status != wire.StatusAuthError {
		t.Errorf("AUTH with a mechanism not on offer = %v, want %v", f.Status, wire.StatusAuthError)
	}
}

func TestNewServer_RefusesOptions(t *testing.T) {
	for name, opts := range map[string]Options{
		"mechanism":   {Mechanisms: []string{"GSSAPI"}},
		"item size":   {MaxItemSize: -1},
		"memory":      {MaxMemory: 1000},
		"connections": {MaxConns: -1},
	} {
		s, err := NewServer(&opts)
		if err == nil {
			s.Close()
			t.Errorf("NewServer with a wrong %s succeeded", name)
		} else if !strings.HasPrefix(err.Error(), "memcachedtest: Options.") {
			t.Errorf("NewServer with a wrong %s = %v, want an error that names the option", name, err)
		}
	}
}

func TestServer_AnswersManyConnectionsAtOnce(t *testing.T) {
	s := Start(t, nil)
	var wg sync.WaitGroup
	for i := range 16 {
		nc := dialMemory(t, s)
		wg.Go(func() {
			key, value := fmt.Sprintf("k%d", i%4), strings.Repeat("v", i)
			for range 200 {
				nc.Write(setRequest(key, value))
				nc.Write(getRequest(key))
				for range 2 {
					var f wire.Frame
					if _, err := f.Read(nc, nil, wire.MagicResponse, 1<<20); err != nil || f.Status != wire.StatusOK {
						t.Errorf("%v answered %v, %v, want %v", f.Opcode, f.Status, err, wire.StatusOK)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestServer_AnswersPipelinedRequestsTogether(t *testing.T) {
	s := Start(t, nil)
	client, end := memPipe("client", "server")
	counted := &countingConn{Conn: end}
	if err := s.serve(counted); err != nil {
		t.Fatal(err)
	}
	var batch []byte
	for range 100 {
		batch = append(batch, getRequest("k")...)
	}
	if _, err := client.Write(batch); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		receive(t, client)
	}
	client.Close()
	s.Close()
	if counted.writes > 2 {
		t.Errorf("100 pipelined requests were answered in %d writes, want 1", counted.writes)
	}
}

// countingConn counts writes; it belongs to the server until that is closed.
type countingConn struct {
	net.Conn
	writes int
}

func (c *countingConn) Write(b []byte) (int, error) {
	c.writes++
	return c.Conn.Write(b)
}
