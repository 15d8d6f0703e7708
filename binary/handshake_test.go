package memcached_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// scripted is a server that answers every request with the same frame, the
// opcode of the request in it.
func scripted(frame func(request []byte) []byte) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			b := make([]byte, 4096)
			for {
				n, err := server.Read(b)
				if err != nil {
					return
				}
				if _, err := server.Write(frame(b[:n])); err != nil {
					return
				}
			}
		}()
		return client, nil
	}
}

func TestHandshake_ServersThatMisbehave(t *testing.T) {
	answer := func(status byte, body string, edit func(b []byte)) func([]byte) []byte {
		return func(request []byte) []byte {
			b := make([]byte, 24, 24+len(body))
			b[0], b[1], b[7], b[11] = 0x81, request[1], status, byte(len(body))
			copy(b[12:16], request[12:16])
			if edit != nil {
				edit(b)
			}
			return append(b, body...)
		}
	}
	tests := map[string]struct {
		frame func([]byte) []byte
		auth  sasl.Mechanism
		want  error
	}{
		"asks on for ever":        {answer(0x21, "PLAIN", nil), sasl.Plain("app", "pw"), nil},
		"wrong opcode":            {answer(0, "", func(b []byte) { b[1] = 0x0b }), nil, memcached.ErrUnavailable},
		"unknown, as yrmcds says": {answer(0x81, "Unknown command", func(b []byte) { b[1] = 0x51 }), sasl.Auto("app", "pw"), memcached.ErrAuth},
		"wrong opaque":            {answer(0, "", func(b []byte) { b[15] = 7 }), nil, memcached.ErrUnavailable},
		"huge body":               {answer(0, "", func(b []byte) { b[8] = 0x7f }), nil, memcached.ErrUnavailable},
		"key longer than body":    {answer(0, "", func(b []byte) { b[2] = 0x7f }), nil, memcached.ErrUnavailable},
		"out of memory":           {answer(0x82, "", nil), nil, memcached.ErrUnavailable},
		"lists nothing":           {answer(0, "", nil), sasl.Auto("app", "pw"), memcached.ErrAuth},
		"lists only unknown ones": {answer(0, "GSSAPI ANONYMOUS", nil), sasl.Auto("app", "pw"), memcached.ErrAuth},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, err := memcached.New([]string{"cache"}, &memcached.Options{Auth: tt.auth, DialContext: scripted(tt.frame)})
				if err != nil {
					t.Fatal(err)
				}
				defer client.Close()
				start := time.Now()
				_, err = client.Get(t.Context(), "k")
				var op *memcached.OpError
				if !errors.As(err, &op) || tt.want != nil && !errors.Is(err, tt.want) {
					t.Errorf("Get = %v, want an OpError that is %v", err, tt.want)
				}
				if took := time.Since(start); took > 50*time.Millisecond {
					t.Errorf("Get took %v, want an error at once", took)
				}
				if s := fmt.Sprint(err); strings.Contains(s, "pw") {
					t.Errorf("Get = %s, which tells the password", s)
				}
			})
		})
	}
}

func TestHandshake_SaysWhatIsWrong(t *testing.T) {
	secured := &memcachedtest.Options{Users: map[string]string{"app": "secret"}}
	tests := []struct {
		name   string
		server *memcachedtest.Options
		opts   memcached.Options
		want   error
		text   string
	}{
		{"no SASL on the server", nil, memcached.Options{Auth: sasl.Plain("app", "secret")}, memcached.ErrAuth, "the server does not offer SASL"},
		{"nothing in the environment, no SASL on the server", nil, memcached.Options{Auth: sasl.Auto("", "")}, memcached.ErrAuth, "leave Options.Auth nil"},
		{"nothing in the environment", secured, memcached.Options{Auth: sasl.Auto("", "")}, memcached.ErrAuth, "leave memcached.Options.Auth nil"},
		{"no credentials", secured, memcached.Options{}, memcached.ErrAuth, "the server demands authentication: set Options.Auth"},
		{
			"mechanism not offered", &memcachedtest.Options{Users: secured.Users, Mechanisms: []string{"PLAIN"}},
			memcached.Options{Auth: sasl.ScramSHA256("app", "secret")},
			memcached.ErrAuth, "PLAIN",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, tt.server)
				client := newClient(t, tt.opts, server)
				_, err := client.Get(t.Context(), "k")
				if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
					t.Errorf("Get = %v, want %v with %q", err, tt.want, tt.text)
				}
			})
		})
	}
}

// answerWith returns a dial function whose server answers the first bytes with
// the given text, or not at all.
func answerWith(text string, closes bool) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			b := make([]byte, 1024)
			if _, err := server.Read(b); err != nil {
				return
			}
			_, _ = server.Write([]byte(text))
			if !closes {
				_, _ = server.Read(b)
			}
		}()
		return client, nil
	}
}

func TestHandshake_OtherProtocols(t *testing.T) {
	tests := []struct {
		name   string
		answer string
		closes bool
		text   string
	}{
		{"silent", "", false, "only the text protocol"},
		{"text-only server", "ERROR\r\n", false, "speaks only the text protocol"},
		{"text-only server that wants a password (-Y)", "CLIENT_ERROR unauthenticated\r\n", false, "speaks only the text protocol"},
		{"memcached's proxy", "CLIENT_ERROR malformed request\r\n", true, "speaks only the text protocol"},
		{"closed as twemproxy does", "", true, "speak only the text protocol"},
		{"closed", "", true, "closed the connection"},
		{"out of connections", "ERROR Too many open connections\r\n", true, "Too many open connections"},
		{"TLS port", "\x15\x03\x01\x00\x02\x02\x46", true, "set Options.TLS"},
		{"HTTP port", "HTTP/1.1 400 Bad Request\r\n\r\n", true, "does not speak memcached's protocol on this port"},
		{"Redis", "-ERR unknown command\r\n", false, "does not speak memcached's protocol on this port"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, err := memcached.New([]string{"cache"}, &memcached.Options{DialContext: answerWith(tt.answer, tt.closes)})
				if err != nil {
					t.Fatal(err)
				}
				defer client.Close()
				start := time.Now()
				_, err = client.Get(t.Context(), "k")
				if !errors.Is(err, memcached.ErrUnavailable) || !strings.Contains(err.Error(), tt.text) || !strings.Contains(err.Error(), "cache") {
					t.Errorf("Get = %v, want ErrUnavailable with %q", err, tt.text)
				}
				if took := time.Since(start); took > time.Second {
					t.Errorf("Get took %v, want at most Options.Timeout", took)
				}
			})
		})
	}
}

// TestHandshake_LineInPieces: what a server says is told whole, also when the rest of
// the line is read late.
func TestHandshake_LineInPieces(t *testing.T) {
	for name, auth := range map[string]sasl.Mechanism{"no credentials": nil, "SASL": sasl.Plain("app", "secret")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var servers sync.WaitGroup
				defer servers.Wait()
				dial := func(context.Context, string, string) (net.Conn, error) {
					client, server := net.Pipe()
					servers.Go(func() {
						defer server.Close()
						_, _ = server.Read(make([]byte, 1024))
						for _, piece := range []string{"ERROR Too many open conn", "ect", "ions\r\n"} {
							time.Sleep(10 * time.Millisecond)
							_, _ = io.WriteString(server, piece)
						}
					})
					return client, nil
				}
				client, err := memcached.New([]string{"cache"}, &memcached.Options{Auth: auth, DialContext: dial})
				if err != nil {
					t.Fatal(err)
				}
				defer client.Close()
				if _, err = client.Get(t.Context(), "k"); err == nil || !strings.Contains(err.Error(), `the server answers in the text protocol: "ERROR Too many open connections"`) {
					t.Errorf("Get = %v, want what the server says", err)
				}
			})
		})
	}
}

// TestHandshake_TextOnlyServersAnswerAtOnce: a line end is in the first request,
// with credentials and without, so that whoever reads lines has read one.
func TestHandshake_TextOnlyServersAnswerAtOnce(t *testing.T) {
	for name, auth := range map[string]sasl.Mechanism{"no credentials": nil, "SASL": sasl.Plain("app", "secret")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dial := func(context.Context, string, string) (net.Conn, error) {
					client, server := net.Pipe()
					go func() {
						defer server.Close()
						lines := bufio.NewReader(server)
						for {
							if _, err := lines.ReadString('\n'); err != nil {
								return
							}
							if _, err := io.WriteString(server, "ERROR\r\n"); err != nil {
								return
							}
						}
					}()
					return client, nil
				}
				client, err := memcached.New([]string{"cache"}, &memcached.Options{Auth: auth, DialContext: dial})
				if err != nil {
					t.Fatal(err)
				}
				defer client.Close()
				start := time.Now()
				_, err = client.Get(t.Context(), "k")
				if !errors.Is(err, memcached.ErrUnavailable) || !strings.Contains(err.Error(), "speaks only the text protocol") {
					t.Errorf("Get = %v, want ErrUnavailable that names the protocol", err)
				}
				if took := time.Since(start); took > 50*time.Millisecond {
					t.Errorf("Get took %v, want an error at once", took)
				}
			})
		})
	}
}

// TestHandshake_AServerThatWorkedBeforeIsNotTextOnly: it is paused, or stopping.
func TestHandshake_AServerThatWorkedBeforeIsNotTextOnly(t *testing.T) {
	for _, closes := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			server := newServer(t, nil)
			dial := server.DialContext
			client := newClient(t, memcached.Options{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return dial(ctx, network, address)
			}}, server)
			set(t, client, "k", "v")
			dial = answerWith("", closes)
			server.Stop()
			for range 3 {
				_, err := client.Get(t.Context(), "k")
				if !errors.Is(err, memcached.ErrUnavailable) || strings.Contains(err.Error(), "text protocol") || strings.Contains(err.Error(), "TLS") {
					t.Errorf("Get = %v, want ErrUnavailable and no other protocol", err)
				}
				time.Sleep(2 * time.Second)
			}
		})
	}
}

// TestHandshake_AServerWithoutNoopIsUsable: NOOP is for the handshake and Ping.
func TestHandshake_AServerWithoutNoopIsUsable(t *testing.T) {
	server := newServer(t, nil)
	server.Intercept(func(r memcachedtest.Request) (a memcachedtest.Action) {
		if r.Op == memcachedtest.OpNoop {
			a.Status = memcached.StatusUnknownCommand
		}
		return a
	})
	client := newClient(t, memcached.Options{}, server)
	set(t, client, "k", "v")
	if err := client.Ping(t.Context()); err != nil {
		t.Errorf("Ping = %v, want nil: the server answers", err)
	}
	wantValue(t, client, "k", "v")
	if n := client.Stats().Servers[server.Addr()].Dials; n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}
