package memcachedtest

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/internal/saslserver"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest/clienttest"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// clientModes are the ways to run servers in which a client must pass. Those
// with TLS are for the package's own server.
var clientModes = []struct {
	name    string
	servers int
	command string // memcached's options
	client  memcached.Options
	memory  bool // not over TCP
	tls     bool
	waits   bool // for the clock, instead of setting it forward
	noStats bool
}{
	{name: "TCP", servers: 1, waits: true},
	{name: "memory", servers: 1, memory: true},
	{name: "three servers", servers: 3},
	{name: "SCRAM-SHA-256", servers: 1, command: "-S", client: memcached.Options{Auth: sasl.ScramSHA256("user", "pass")}},
	{name: "SCRAM-SHA-512", servers: 1, command: "-S", client: memcached.Options{Auth: sasl.ScramSHA512("user", "pass")}},
	{name: "SCRAM-SHA-1", servers: 1, command: "-S", client: memcached.Options{Auth: sasl.ScramSHA1("user", "pass")}},
	{name: "CRAM-MD5", servers: 1, command: "-S", client: memcached.Options{Auth: sasl.CramMD5("user", "pass")}},
	{name: "PLAIN", servers: 1, command: "-S", client: memcached.Options{Auth: sasl.Plain("user", "pass")}},
	{name: "TLS and SASL", servers: 2, command: "-S", client: memcached.Options{Auth: sasl.Auto("user", "pass")}, tls: true},
	{name: "TLS in memory", servers: 2, memory: true, tls: true},
	{name: "no versions", servers: 1, command: "-C"},
	{name: "no flush", servers: 1, command: "-F"},
	{name: "items of 2 MiB", servers: 1, command: "-I 2m", client: memcached.Options{MaxItemSize: 2<<20 - 1024}},
	{name: "items of 512 KiB", servers: 1, command: "-I 512k"},
	{name: "small memory", servers: 1, command: "-m 8"},
	{name: "replicated", servers: 3, client: memcached.Options{Replicate: true}},
	{name: "no statistics", servers: 2, noStats: true},
	{name: "one connection", servers: 1, client: memcached.Options{MaxConns: 1}},
}

func TestClient(t *testing.T) {
	for _, mode := range clientModes {
		t.Run(mode.name, func(t *testing.T) {
			t.Parallel()
			command, opts := strings.Fields(mode.command), mode.client
			opts.Timeout = 30 * time.Second // machines may be slow
			if *realServer != "" {
				if mode.tls || mode.memory || mode.noStats {
					t.Skip("for the package's own server")
				}
				addrs := startAll(t, mode.servers, command)
				clienttest.Run(t, suiteOf(optionsOf(t, command)), opener(addrs, &opts))
				return
			}
			serverOpts := optionsOf(t, command)
			if mode.tls {
				var err error
				if serverOpts.TLS, opts.TLS, err = TLSConfig(); err != nil {
					t.Fatal(err)
				}
			}
			var servers []*Server
			var addrs []string
			for range mode.servers {
				s := Start(t, serverOpts)
				servers, addrs = append(servers, s), append(addrs, s.Addr())
				if mode.noStats {
					s.Intercept(refuseStats)
				}
			}
			if mode.memory {
				opts.DialContext = Dialer(servers...)
			}
			suite := suiteOf(serverOpts)
			suite.DisableStats = mode.noStats
			if !mode.waits {
				suite.Advance = func() {
					for _, s := range servers {
						s.Advance(300 * time.Millisecond)
					}
				}
			}
			clienttest.Run(t, suite, opener(addrs, &opts))
		})
	}
}

// refuseStats makes a server one that does not know STAT.
func refuseStats(r Request) Action {
	if r.Op == OpStat {
		return Action{Status: memcached.StatusUnknownCommand}
	}
	return Action{}
}

// suiteOf says how servers with opts are set up.
func suiteOf(opts *Options) *clienttest.Options {
	return &clienttest.Options{
		MaxItemSize: opts.MaxItemSize, MaxMemory: opts.MaxMemory,
		DisableCAS: opts.DisableCAS, DisableFlush: opts.DisableFlush,
	}
}

// opener returns a function that makes clients of servers.
func opener(addrs []string, opts *memcached.Options) func(t *testing.T) *memcached.Client {
	return func(t *testing.T) *memcached.Client {
		c, err := memcached.New(addrs, opts)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

// startAll starts n times memcached.
func startAll(t *testing.T, n int, command []string) (addrs []string) {
	t.Helper()
	for range n {
		addrs = append(addrs, startMemcached(t, command))
	}
	return addrs
}

// optionsOf translates memcached's command line.
func optionsOf(t testing.TB, args []string) *Options {
	opts := new(Options)
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-C":
			opts.DisableCAS = true
		case "-F":
			opts.DisableFlush = true
		case "-S":
			opts.Users = map[string]string{"user": "pass"}
			opts.Mechanisms = saslserver.Mechanisms
		case "-I":
			i++
			n, unit := args[i][:len(args[i])-1], args[i][len(args[i])-1]
			size, err := strconv.Atoi(n)
			if err != nil {
				t.Fatal(err)
			}
			opts.MaxItemSize = size << map[byte]int{'k': 10, 'm': 20}[unit]
		case "-m":
			i++
			size, err := strconv.Atoi(args[i])
			if err != nil {
				t.Fatal(err)
			}
			opts.MaxMemory = size << 20
		default:
			t.Fatalf("unknown option %q", args[i])
		}
	}
	return opts
}
