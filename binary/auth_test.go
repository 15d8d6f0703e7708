package memcached_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

func secured(mechanisms ...string) *memcachedtest.Options {
	return &memcachedtest.Options{Users: map[string]string{"app": "a-secret-password"}, Mechanisms: mechanisms}
}

func TestAuth_EveryMechanism(t *testing.T) {
	const user, password = "app", "a-secret-password"
	tests := map[string]struct {
		auth  sasl.Mechanism
		offer []string // nil for all
		want  string   // the mechanism that is used
	}{
		"PLAIN":         {sasl.Plain(user, password), nil, "PLAIN"},
		"CRAM-MD5":      {sasl.CramMD5(user, password), nil, "CRAM-MD5"},
		"SCRAM-SHA-1":   {sasl.ScramSHA1(user, password), nil, "SCRAM-SHA-1"},
		"SCRAM-SHA-256": {sasl.ScramSHA256(user, password), nil, "SCRAM-SHA-256"},
		"SCRAM-SHA-512": {sasl.ScramSHA512(user, password), []string{"SCRAM-SHA-512"}, "SCRAM-SHA-512"},
		"Auto of five":  {sasl.Auto(user, password), []string{"PLAIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"}, "SCRAM-SHA-512"},
		"Auto of four":  {sasl.Auto(user, password), nil, "SCRAM-SHA-256"},
		"Auto of three": {sasl.Auto(user, password), []string{"PLAIN", "CRAM-MD5", "SCRAM-SHA-1"}, "SCRAM-SHA-1"},
		"Auto of two":   {sasl.Auto(user, password), []string{"PLAIN", "CRAM-MD5"}, "CRAM-MD5"},
		"Auto of PLAIN": {sasl.Auto(user, password), []string{"PLAIN"}, "PLAIN"}, // the connection stays in the process
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, secured(tt.offer...))
				client := newClient(t, memcached.Options{Auth: tt.auth}, server)
				set(t, client, "k", "v")
				wantValue(t, client, "k", "v")
				for _, r := range server.Requests() {
					if r.Op == "SASL AUTH" && r.Key != tt.want {
						t.Errorf("authenticated by %s, want %s", r.Key, tt.want)
					}
				}
				if n := server.RequestCount("SASL LIST"); n != 1 {
					t.Errorf("mechanisms were listed %d times, want once: again would undo the authentication", n)
				}
			})
		})
	}
}

// remoteConn is a connection that seems to leave the machine.
type remoteConn struct{ net.Conn }

func (remoteConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 11211} }

func TestAuth_AutoSendsNoPlainPasswordOverTheNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, secured("PLAIN"))
		dial := func(ctx context.Context, network, address string) (net.Conn, error) {
			nc, err := server.DialContext(ctx, network, address)
			return remoteConn{nc}, err
		}
		client := newClient(t, memcached.Options{Auth: sasl.Auto("app", "a-secret-password"), DialContext: dial}, server)
		_, err := client.Get(t.Context(), "k")
		if !errors.Is(err, memcached.ErrAuth) || !strings.Contains(err.Error(), "sasl.Plain") {
			t.Errorf("Get = %v, want ErrAuth that names sasl.Plain", err)
		}
		if n := server.RequestCount("SASL AUTH"); n != 0 {
			t.Errorf("%d authentications were begun, want none", n)
		}
		explicit := newClient(t, memcached.Options{Auth: sasl.Plain("app", "a-secret-password"), DialContext: dial}, server)
		set(t, explicit, "k", "v")
	})
}

// proxied is a connection whose other end is a proxy on this machine.
type proxied struct {
	net.Conn
	proxy net.Addr
}

func (c proxied) RemoteAddr() net.Addr { return c.proxy }

// TestAuth_AutoSendsNoPlainPasswordThroughAProxy: where the bytes go from there
// nobody knows.
func TestAuth_AutoSendsNoPlainPasswordThroughAProxy(t *testing.T) {
	local := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1080}
	socket := &net.UnixAddr{Name: "/run/proxy.sock", Net: "unix"}
	for _, tt := range []struct {
		name   string
		peer   net.Addr
		secure bool
	}{
		{"cache.example", local, false},
		{"192.0.2.1:11211", local, false},
		{"localhost.example", local, false},
		{"cache.example", socket, false},
		{"localhost", local, true},
		{"127.0.0.2", local, true},
		{"[::1]:11211", local, true},
		{"/run/memcached.sock", socket, true},
		{"localhost", &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			server := newServer(t, secured("PLAIN"))
			client, err := memcached.New([]string{tt.name}, &memcached.Options{
				Auth:   sasl.Auto("app", "a-secret-password"),
				Logger: slog.New(slog.DiscardHandler),
				DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
					nc, err := server.DialContext(ctx, network, server.Addr())
					return proxied{nc, tt.peer}, err
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if err := client.Ping(t.Context()); (err == nil) != tt.secure {
				t.Errorf("Ping of %s by %s %v = %v, want success: %v", tt.name, tt.peer.Network(), tt.peer, err, tt.secure)
			}
		})
	}
}

// TestAuth_ListsOfMechanisms: servers separate names in their own ways.
func TestAuth_ListsOfMechanisms(t *testing.T) {
	for _, list := range []string{"PLAIN\x00", "PLAIN,LOGIN", "LOGIN, PLAIN", "\tGSSAPI\x00PLAIN\n", " PLAIN  LOGIN "} {
		server := newServer(t, secured("PLAIN"))
		server.Intercept(func(r memcachedtest.Request) (a memcachedtest.Action) {
			if r.Op == memcachedtest.OpSASLList {
				a.Edit = func([]byte) []byte { return said(codeList, 0, r.Opaque, 0, "", "", list) }
			}
			return a
		})
		client := newClient(t, memcached.Options{Auth: sasl.Auto("app", "a-secret-password")}, server)
		if err := client.Ping(t.Context()); err != nil {
			t.Errorf("Ping of a server that lists %q = %v, want nil", list, err)
		}
	}
}

// remoteTLS is a connection that a tls.Dialer made, seemingly to another machine.
// It counts how many requests each write has.
type remoteTLS struct {
	*tls.Conn
	writes chan int
}

func (remoteTLS) RemoteAddr() net.Addr { return remoteConn{}.RemoteAddr() }

func (c remoteTLS) Write(b []byte) (int, error) {
	requests := 0
	for rest := b; len(rest) >= 24; requests++ {
		rest = rest[24+binary.BigEndian.Uint32(rest[8:]):]
	}
	c.writes <- requests
	return c.Conn.Write(b)
}

// TestAuth_TLSOfDialContextIsTLS: PLAIN is safe on it, and the last request goes
// in a record of its own (see lastRequest).
func TestAuth_TLSOfDialContextIsTLS(t *testing.T) {
	serverTLS, clientTLS, err := memcachedtest.TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	opts := secured("PLAIN")
	opts.TLS = serverTLS
	server := newServer(t, opts)
	writes := make(chan int, 100)
	client := newClient(t, memcached.Options{
		Auth: sasl.Auto("app", "a-secret-password"),
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			nc, err := (&tls.Dialer{Config: clientTLS}).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return remoteTLS{nc.(*tls.Conn), writes}, nil
		},
	}, server)
	if _, err := client.GetMulti(t.Context(), []string{"a", "b", "c"}); err != nil {
		t.Fatalf("GetMulti = %v", err)
	}
	close(writes)
	var last []int
	for n := range writes {
		last = append(last, n)
	}
	if n := len(last); n < 2 || last[n-2] != 2 || last[n-1] != 1 {
		t.Errorf("requests were written in groups of %v, want the last by itself", last)
	}
}

func TestAuth_CredentialsAreAskedForAtEveryConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, secured())
		var asked atomic.Int32
		var password atomic.Value
		password.Store("a-secret-password")
		client := newClient(t, memcached.Options{MaxConns: 1, Auth: sasl.AutoFunc(func(ctx context.Context) (sasl.Credentials, error) {
			if _, ok := ctx.Deadline(); !ok {
				t.Error("the context of a connection attempt has no deadline")
			}
			asked.Add(1)
			return sasl.Credentials{Username: "app", Password: sasl.NewSecret(password.Load().(string))}, nil
		})}, server)
		set(t, client, "k", "v")
		server.SetPassword("app", "the-next-password")
		wantValue(t, client, "k", "v") // what is connected stays authenticated
		if n := asked.Load(); n != 1 {
			t.Errorf("credentials were asked for %d times, want 1", n)
		}
		if err := server.Restart(); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Get(t.Context(), "k"); !errors.Is(err, memcached.ErrAuth) {
			t.Errorf("Get with the old password = %v, want %v", err, memcached.ErrAuth)
		}
		password.Store("the-next-password")
		time.Sleep(time.Second)
		set(t, client, "k", "v")
		wantValue(t, client, "k", "v")
		if n := asked.Load(); n != 3 {
			t.Errorf("credentials were asked for %d times, want 3: once per connection", n)
		}
	})
}

func TestAuth_CredentialsThatCannotBeHad(t *testing.T) {
	tests := map[string]struct {
		source func(ctx context.Context) (sasl.Credentials, error)
		want   error
		text   string
	}{
		"error": {func(context.Context) (sasl.Credentials, error) {
			return sasl.Credentials{}, errors.New("the vault is sealed")
		}, memcached.ErrAuth, "the vault is sealed"},
		"empty": {func(context.Context) (sasl.Credentials, error) {
			return sasl.Credentials{}, nil
		}, memcached.ErrAuth, "empty"},
		"too late": {func(ctx context.Context) (sasl.Credentials, error) {
			<-ctx.Done()
			return sasl.Credentials{}, ctx.Err()
		}, memcached.ErrUnavailable, "credentials"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, secured())
				client := newClient(t, memcached.Options{Auth: sasl.AutoFunc(tt.source)}, server)
				for range 2 {
					_, err := client.Get(t.Context(), "k")
					if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) || !strings.Contains(err.Error(), server.Addr()) {
						t.Errorf("Get = %v, want %v with %q and the server", err, tt.want, tt.text)
					}
					if strings.Contains(err.Error(), "text protocol") {
						t.Errorf("Get = %v, which blames the server", err)
					}
				}
			})
		})
	}
}

func TestAuth_EveryOperationSaysErrAuthWhileItRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, secured())
		client := newClient(t, memcached.Options{Auth: sasl.Auto("app", "wrong")}, server)
		for name, do := range operations() {
			if err := do(t.Context(), client); !errors.Is(err, memcached.ErrAuth) {
				t.Errorf("%s = %v, want %v", name, err, memcached.ErrAuth)
			}
		}
		if n := server.RequestCount("SASL AUTH"); n != 1 {
			t.Errorf("authentication was tried %d times, want once", n)
		}
	})
}

// pretender is a mechanism that accepts anything but never takes a server for
// proven.
type pretender struct{}

func (pretender) Name() string { return "PLAIN" }

func (pretender) Start(context.Context, sasl.Server) (sasl.Session, []byte, error) {
	return pretenderSession{}, []byte("\x00app\x00a-secret-password"), nil
}

type pretenderSession struct{}

func (pretenderSession) Next([]byte) ([]byte, error) { return nil, nil }
func (pretenderSession) Done() error                 { return errors.New("the server has proved nothing") }

func TestAuth_SuccessWithoutProofIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, secured())
		client := newClient(t, memcached.Options{Auth: pretender{}}, server)
		if _, err := client.Get(t.Context(), "k"); !errors.Is(err, memcached.ErrAuth) || !strings.Contains(err.Error(), "proved nothing") {
			t.Errorf("Get = %v, want ErrAuth", err)
		}
	})
}
