package composition_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// server serves one instance at a time with net/http, on connections in memory.
type server struct {
	conns   chan net.Conn
	closed  chan struct{}
	handler atomic.Pointer[instance]
	running sync.WaitGroup // handlers
	server  *http.Server
	client  *http.Transport
}

func newServer() *server {
	s := &server{conns: make(chan net.Conn), closed: make(chan struct{})}
	s.server = &http.Server{ErrorLog: quiet, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer s.running.Done()
		s.handler.Load().handle.ServeHTTP(w, r)
	})}
	// A connection serves one request: nothing is repeated on another.
	s.client = &http.Transport{DialContext: s.dial, DisableCompression: true, DisableKeepAlives: true}
	go func() { _ = s.server.Serve(s) }() // close ends it
	return s
}

func (s *server) close() {
	_ = s.server.Close()
	s.client.CloseIdleConnections()
}

func (s *server) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case s.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept is for net/http, which takes the server for its listener.
func (s *server) Accept() (net.Conn, error) {
	select {
	case c := <-s.conns:
		return c, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

// Close is called by net/http.
func (s *server) Close() error {
	close(s.closed)
	return nil
}

// Addr is that of every connection in memory.
func (s *server) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "192.0.2.1:1234" }

// answer is a response as it came.
type answer struct {
	status  int
	header  http.Header
	trailer http.Header
	raw     string // body as it came
	body    string // decoded
	fault   string // how it broke off
}

// send makes a request. The handlers have returned when wait does.
func (s *server) send(r *http.Request) answer {
	s.running.Add(1)
	response, err := s.client.RoundTrip(r)
	if err != nil {
		return answer{fault: "no response"}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	a := answer{status: response.StatusCode, header: response.Header, trailer: response.Trailer, raw: string(body)}
	if err != nil {
		a.fault = "breaks off"
	}
	return a
}

// wait waits for the handlers, which may go on when the client has everything.
func (s *server) wait() { s.running.Wait() }
