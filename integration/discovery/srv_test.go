package discovery_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/discovery"
)

const record = "_memcache._tcp.memcached.test."

func TestSRV_Records(t *testing.T) {
	z := startZone(t)
	srv := discovery.SRV{Service: "memcache", Name: "memcached.test.", Resolver: z.resolver()}
	for name, c := range map[string]struct {
		records []string
		want    string // empty: none, "error": an error
	}{
		"names and ports":     {[]string{"0 50 11211 a.test.", "0 50 11212 b.test.", "0 50 11213 b.test."}, "a.test:11211 b.test:11212 b.test:11213"},
		"weights do not rank": {[]string{"0 1 1 a.test.", "0 65535 1 b.test.", "0 0 1 c.test."}, "a.test:1 b.test:1 c.test:1"},
		"stand-ins stay out":  {[]string{"20 0 1 c.test.", "10 0 1 a.test.", "10 9 1 b.test.", "30 0 1 d.test."}, "a.test:1 b.test:1"},
		"upper case":          {[]string{"0 0 1 CACHE-1.Test."}, "cache-1.test:1"},
		"no such service":     {[]string{"0 0 0 ."}, ""},
		"no port":             {[]string{"0 0 1 a.test.", "0 0 0 b.test."}, "error"},
		"not a name":          {[]string{"0 0 1 a.test.", `0 0 1 b\032c.test.`}, "error"},
		"nothing":             {nil, "error"},
	} {
		z.set(record, "SRV", c.records...)
		got, err := srv.Servers(t.Context())
		slices.Sort(got)
		if (err != nil) != (c.want == "error") || err == nil && strings.Join(got, " ") != c.want {
			t.Errorf("%s: Servers = %q, %v, want %q", name, got, err, c.want)
		}
	}
}

func TestSRV_NameOfTheRecord(t *testing.T) {
	z := startZone(t)
	z.set("_memcache._tcp.memcached.test.", "SRV", "0 0 1 tcp.test.")
	z.set("_memcache._udp.memcached.test.", "SRV", "0 0 1 udp.test.")
	z.set("memcache.service.consul.", "SRV", "0 0 1 consul.test.")
	for _, c := range []struct {
		srv  discovery.SRV
		want string
	}{
		{discovery.SRV{Service: "memcache", Name: "memcached.test."}, "tcp.test:1"},
		{discovery.SRV{Service: "memcache", Proto: "udp", Name: "memcached.test."}, "udp.test:1"},
		{discovery.SRV{Name: "_memcache._tcp.memcached.test."}, "tcp.test:1"},
		{discovery.SRV{Proto: "udp", Name: "memcache.service.consul."}, "consul.test:1"},
	} {
		c.srv.Resolver = z.resolver()
		if got, err := c.srv.Servers(t.Context()); err != nil || !slices.Equal(got, []string{c.want}) {
			t.Errorf("%+v: Servers = %q, %v, want %s", c.srv, got, err, c.want)
		}
	}
}

// Servers behind names, as in a StatefulSet: they come and go, and one comes
// back with another address, which moves no key.
func TestSRV_ServersComeAndGoUnderLoad(t *testing.T) {
	z := startZone(t)
	servers := startServers(t, 4)
	ports := make([]string, len(servers))
	for i, s := range servers {
		host, port, _ := net.SplitHostPort(s.Addr())
		ports[i] = port
		z.set(fmt.Sprintf("cache-%d.test.", i), "A", host)
	}
	list := func(which ...int) (records, want []string) {
		for _, i := range which {
			records = append(records, fmt.Sprintf("0 %d %s cache-%d.test.", 100/len(which), ports[i], i))
			want = append(want, fmt.Sprintf("cache-%d.test:%s", i, ports[i]))
		}
		slices.Sort(want)
		return records, want
	}
	records, _ := list(0)
	z.set(record, "SRV", records...)
	resolve := net.Dialer{Resolver: z.resolver()}
	client, watcher := follow(t, discovery.SRV{Service: "memcache", Name: "memcached.test.", Resolver: z.resolver()}, &memcached.Options{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return resolve.DialContext(ctx, network, strings.Replace(address, ".test:", ".test.:", 1))
		},
	}, time.Second)
	l := startLoad(t, client)
	for _, which := range [][]int{{0, 1}, {2, 1, 0}, {3, 2, 1}, {2, 3}, {3}, {0, 1, 2, 3}, {0}} {
		records, want := list(which...)
		z.set(record, "SRV", records...)
		wantServers(t, watcher, want...)
		l.more(t)
	}
	l.end(t)
	if s := client.Stats(); s.Errors != 0 || s.Hits == 0 {
		t.Errorf("Stats() = %+v, want hits and no errors", s)
	}
}

// A name that gets another address is still the same server: no key moves.
func TestSRV_ANewAddressMovesNoKey(t *testing.T) {
	z := startZone(t)
	servers := startServers(t, 3)
	pods := network{"10.1.0.1:11211": servers[0], "10.1.0.2:11211": servers[1], "10.1.0.3:11211": servers[2]}
	z.set(record, "SRV", "0 0 11211 cache-0.test.", "0 0 11211 cache-1.test.")
	z.set("cache-0.test.", "A", "10.1.0.1")
	z.set("cache-1.test.", "A", "10.1.0.2")
	client, watcher := follow(t, discovery.SRV{Name: record, Resolver: z.resolver()}, &memcached.Options{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, port, _ := net.SplitHostPort(address)
			addrs, err := z.resolver().LookupHost(ctx, host+".")
			if err != nil {
				return nil, err
			}
			return pods.DialContext(ctx, network, net.JoinHostPort(addrs[0], port))
		},
	}, time.Second)
	const keys = 200
	for i := range keys {
		if err := client.Set(t.Context(), &memcached.Item{Key: fmt.Sprint("k", i)}); err != nil {
			t.Fatal(err)
		}
	}
	changed := watcher.Status().Changed
	// The second pod is replaced: same name, other address, empty.
	z.set("cache-1.test.", "A", "10.1.0.3")
	servers[1].Kill()
	eventually(t, "an answer from the new pod", func() bool { return client.Ping(t.Context()) == nil })
	hits := 0
	for i := range keys {
		if _, err := client.Get(t.Context(), fmt.Sprint("k", i)); err == nil {
			hits++
		} else if err != memcached.ErrCacheMiss {
			t.Fatal(err)
		}
	}
	if hits < keys/4 || hits > keys*3/4 {
		t.Errorf("%d of %d keys are left, want those of the other server", hits, keys)
	}
	for i := range keys { // back to where they were
		if err := client.Set(t.Context(), &memcached.Item{Key: fmt.Sprint("k", i)}); err != nil {
			t.Fatal(err)
		}
	}
	stats, err := client.ServerStats(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if n := stats["cache-0.test:11211"]["curr_items"]; n != fmt.Sprint(hits) {
		t.Errorf("the server that stayed holds %s items after all were stored again, want %d as before", n, hits)
	}
	if s := watcher.Status(); !s.Changed.Equal(changed) {
		t.Errorf("Status() = %+v, want no change since %v", s, changed)
	}
}
