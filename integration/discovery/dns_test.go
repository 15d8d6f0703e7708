package discovery_test

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/discovery"
)

const service = "memcached.test."

// wantServers waits until the client got these servers.
func wantServers(t *testing.T, w *discovery.Watcher, want ...string) {
	t.Helper()
	eventually(t, fmt.Sprintf("the servers %q", want), func() bool { return slices.Equal(w.Status().Servers, want) })
}

func TestDNS_ServersComeAndGoUnderLoad(t *testing.T) {
	z := startZone(t)
	servers := startServers(t, 3)
	pods := network{"10.1.0.1:11211": servers[0], "10.1.0.2:11211": servers[1], "10.1.0.3:11211": servers[2]}
	z.set(service, "A", "10.1.0.1")
	client, watcher := follow(t, discovery.DNS{Name: service, Resolver: z.resolver()}, &memcached.Options{DialContext: pods.DialContext}, time.Second)
	l := startLoad(t, client)
	for range 3 {
		for _, hosts := range [][]string{
			{"10.1.0.1"},
			{"10.1.0.2", "10.1.0.1"},
			{"10.1.0.3", "10.1.0.1", "10.1.0.2"},
			{"10.1.0.3", "10.1.0.2"},
			{"10.1.0.3"},
			{"10.1.0.2"},
		} {
			z.set(service, "A", hosts...)
			var want []string
			for _, host := range slices.Sorted(slices.Values(hosts)) {
				want = append(want, host+":11211")
			}
			wantServers(t, watcher, want...)
			l.more(t)
			if n := len(client.Stats().Servers); n != len(hosts) {
				t.Errorf("the client has %d servers, want %d", n, len(hosts))
			}
		}
	}
	// Who has left may die.
	servers[0].Kill()
	l.more(t)
	l.end(t)
	if s := client.Stats(); s.Errors != 0 || s.Hits == 0 {
		t.Errorf("Stats() = %+v, want hits and no errors", s)
	}
}

func TestDNS_BadDaysChangeNothing(t *testing.T) {
	z := startZone(t)
	servers := startServers(t, 2)
	pods := network{"10.1.0.1:11211": servers[0], "10.1.0.2:11211": servers[1]}
	good := []string{"10.1.0.1", "10.1.0.2"}
	z.set(service, "A", good...)
	client, watcher := follow(t, discovery.DNS{Name: service, Resolver: z.resolver()}, &memcached.Options{DialContext: pods.DialContext}, time.Second)
	wantServers(t, watcher, "10.1.0.1:11211", "10.1.0.2:11211")
	changed := watcher.Status().Changed
	l := startLoad(t, client)
	for _, day := range []struct {
		name     string
		begin    func()
		end      func()
		notFound bool
	}{
		{"NXDOMAIN", func() { z.set(service, "A") }, nil, true},
		{"no addresses", func() { z.set(service, "A"); z.set(service, "TXT", "x") }, func() { z.set(service, "TXT") }, true},
		{"SERVFAIL", func() { z.fail(service, "A", dns.RcodeServerFailure) }, nil, false},
		{"REFUSED", func() { z.fail(service, "A", dns.RcodeRefused) }, nil, false},
		{"silence", func() { z.behave(silent) }, func() { z.behave(answers) }, false},
		{"garbage", func() { z.behave(garbage) }, func() { z.behave(answers) }, false},
		{"nobody listens", z.stop, z.start, false},
	} {
		day.begin()
		eventually(t, day.name+": a failure", func() bool { return watcher.Status().Failures > 0 })
		var e *net.DNSError
		if err := watcher.Status().Err; !errors.As(err, &e) || e.IsNotFound != day.notFound || !strings.HasPrefix(err.Error(), "discovery: ") {
			t.Errorf("%s: the failure is %v, want a DNS error, not found: %v", day.name, err, day.notFound)
		}
		l.more(t)
		if day.end != nil {
			day.end()
		}
		z.set(service, "A", good...)
		if err := watcher.Refresh(t.Context()); err != nil {
			t.Errorf("%s: Refresh afterwards = %v", day.name, err)
		}
		if s := watcher.Status(); s.Failures != 0 || s.Err != nil {
			t.Errorf("%s: Status() afterwards = %+v", day.name, s)
		}
	}
	l.end(t)
	if s := watcher.Status(); !s.Changed.Equal(changed) || len(s.Servers) != 2 {
		t.Errorf("Status() = %+v, want the servers unchanged since %v", s, changed)
	}
	for addr, s := range client.Stats().Servers {
		if s.Dials > 8 || s.Errors != 0 {
			t.Errorf("%s: %d connections made, %d errors: want the same few all the time and none", addr, s.Dials, s.Errors)
		}
	}
}

func TestDNS_FirstResolutionFails(t *testing.T) {
	z := startZone(t)
	for name, begin := range map[string]func(){"nothing there": func() {}, "nobody listens": z.stop} {
		begin()
		client, watcher, err := discovery.New(t.Context(), discovery.DNS{Name: service, Resolver: z.resolver()}, nil, &discovery.Options{Timeout: time.Second})
		var e *net.DNSError
		if client != nil || watcher != nil || !errors.As(err, &e) {
			t.Errorf("%s: New = %v, %v, %v, want a DNS error", name, client, watcher, err)
		}
	}
}

func TestDNS_LongAnswersComeOverTCP(t *testing.T) {
	z := startZone(t)
	var addrs, want []string
	for i := range 500 {
		addrs = append(addrs, fmt.Sprintf("10.1.%d.%d", i/250, i%250))
		want = append(want, addrs[i]+":7")
	}
	z.set(service, "A", addrs...)
	got, err := discovery.DNS{Name: service, Port: 7, Resolver: z.resolver()}.Servers(t.Context())
	slices.Sort(got)
	slices.Sort(want)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("Servers = %d servers, %v, want all %d", len(got), err, len(want))
	}
	if z.asked("udp") == 0 || z.asked("tcp") == 0 {
		t.Errorf("%d questions over UDP, %d over TCP, want both", z.asked("udp"), z.asked("tcp"))
	}
	_, err = discovery.Watch(t.Context(), new(memcached.Client), discovery.DNS{Name: service, Resolver: z.resolver()}, &discovery.Options{MaxServers: 499})
	if !errors.Is(err, discovery.ErrTooMany) {
		t.Errorf("Watch with MaxServers of 499 = %v, want %v", err, discovery.ErrTooMany)
	}
}

func TestDNS_Families(t *testing.T) {
	z := startZone(t)
	z.set("four.test.", "A", "10.1.0.1")
	z.set("six.test.", "AAAA", "2001:db8::1", "2001:db8::2")
	z.set("both.test.", "A", "10.1.0.1")
	z.set("both.test.", "AAAA", "2001:db8::1")
	z.set("half.test.", "AAAA", "2001:db8::1")
	z.fail("half.test.", "A", dns.RcodeServerFailure)
	z.set("otherhalf.test.", "A", "10.1.0.1")
	z.fail("otherhalf.test.", "AAAA", dns.RcodeServerFailure)
	const failure = "failure"
	for _, c := range []struct{ name, network, want string }{
		{"four.test.", "", "10.1.0.1:11211"},
		{"four.test.", "ip", "10.1.0.1:11211"},
		{"four.test.", "ip6", failure},
		{"six.test.", "", "[2001:db8::1]:11211 [2001:db8::2]:11211"},
		{"six.test.", "ip", "[2001:db8::1]:11211 [2001:db8::2]:11211"},
		{"six.test.", "ip4", failure},
		{"both.test.", "", "10.1.0.1:11211"}, // each server once
		{"both.test.", "ip4", "10.1.0.1:11211"},
		{"both.test.", "ip6", "[2001:db8::1]:11211"},
		{"both.test.", "ip", "10.1.0.1:11211 [2001:db8::1]:11211"},
		{"half.test.", "", failure}, // not the other half: all keys would move
		{"half.test.", "ip", failure},
		{"otherhalf.test.", "", "10.1.0.1:11211"},
		{"otherhalf.test.", "ip", failure},
		{"none.test.", "", failure},
		{"none.test.", "ip", failure},
	} {
		got, err := discovery.DNS{Name: c.name, Network: c.network, Resolver: z.resolver()}.Servers(t.Context())
		slices.Sort(got)
		if c.want == failure {
			if err == nil {
				t.Errorf("%s, network %q: Servers = %q, want an error", c.name, c.network, got)
			}
			continue
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s, network %q: Servers = %q, %v, want %s", c.name, c.network, got, err, c.want)
		}
	}
}
