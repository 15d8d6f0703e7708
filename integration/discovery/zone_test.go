package discovery_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// zone is a DNS server on this machine, whose records a test changes.
type zone struct {
	tb   testing.TB
	addr string // for UDP and TCP

	mu      sync.Mutex // guards what follows
	servers []*dns.Server
	records map[string][]dns.RR // by name and type
	rcode   map[string]int      // by name and type: what is answered instead
	mode    mode
	queries map[string]int // by network
}

// mode is how the server behaves.
type mode int

const (
	answers mode = iota
	silent       // says nothing
	garbage      // says what is no message
)

// startZone starts the server. It ends with the test.
func startZone(tb testing.TB) *zone {
	tb.Helper()
	z := &zone{tb: tb, records: map[string][]dns.RR{}, rcode: map[string]int{}, queries: map[string]int{}}
	z.start()
	tb.Cleanup(z.stop)
	return z
}

// start listens, at the same address as before if there is one.
func (z *zone) start() {
	z.tb.Helper()
	addr := z.addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	for attempt := 0; ; attempt++ {
		packets, err := net.ListenPacket("udp", addr)
		if err != nil {
			z.tb.Fatal(err)
		}
		l, err := net.Listen("tcp", packets.LocalAddr().String())
		if err == nil {
			if z.addr == "" {
				z.addr = l.Addr().String()
			}
			z.serve(&dns.Server{PacketConn: packets, Handler: z})
			z.serve(&dns.Server{Listener: l, Handler: z})
			return
		}
		packets.Close()
		if attempt == 10 {
			z.tb.Fatal(err)
		}
	}
}

func (z *zone) serve(s *dns.Server) {
	started := make(chan struct{})
	s.NotifyStartedFunc = func() { close(started) }
	go func() { _ = s.ActivateAndServe() }()
	<-started
	z.mu.Lock()
	defer z.mu.Unlock()
	z.servers = append(z.servers, s)
}

// stop ends the server: queries are refused by the kernel.
func (z *zone) stop() {
	z.mu.Lock()
	servers := z.servers
	z.servers = nil
	z.mu.Unlock()
	for _, s := range servers {
		if err := s.Shutdown(); err != nil {
			z.tb.Errorf("DNS server: %v", err)
		}
	}
}

// resolver returns a resolver that asks this server only.
func (z *zone) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, z.addr)
	}}
}

// set replaces the records of a name and type with those that the lines say, in
// the syntax of zone files without the name.
func (z *zone) set(name, kind string, lines ...string) {
	z.tb.Helper()
	var records []dns.RR
	for _, line := range lines {
		rr, err := dns.NewRR(fmt.Sprintf("%s 0 IN %s %s", name, kind, line))
		if err != nil {
			z.tb.Fatal(err)
		}
		records = append(records, rr)
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	z.records[name+" "+kind] = records
	delete(z.rcode, name+" "+kind)
}

// fail answers questions about a name and type with a code, until set.
func (z *zone) fail(name, kind string, rcode int) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.rcode[name+" "+kind] = rcode
}

func (z *zone) behave(m mode) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.mode = m
}

// asked returns how many questions came over a network.
func (z *zone) asked(network string) int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.queries[network]
}

// ServeDNS answers a question. What does not fit a datagram is cut, with the bit
// that says so.
func (z *zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	z.mu.Lock()
	defer z.mu.Unlock()
	network := w.LocalAddr().Network()
	z.queries[network]++
	switch z.mode {
	case silent:
		return
	case garbage:
		_, _ = w.Write([]byte("this is no message"))
		return
	}
	m := new(dns.Msg).SetReply(q)
	m.Authoritative = true // an empty answer of another server would be a referral
	question := q.Question[0]
	key := strings.ToLower(question.Name) + " " + dns.TypeToString[question.Qtype]
	m.Rcode, m.Answer = z.rcode[key], z.records[key]
	if m.Rcode == dns.RcodeSuccess && m.Answer == nil && !z.exists(question.Name) {
		m.Rcode = dns.RcodeNameError
	}
	if network == "udp" {
		size := dns.MinMsgSize
		if o := q.IsEdns0(); o != nil {
			size = int(o.UDPSize())
		}
		m.Truncate(size)
	}
	_ = w.WriteMsg(m)
}

// exists reports whether a name has records of any type.
func (z *zone) exists(name string) bool {
	for key, records := range z.records {
		if strings.HasPrefix(key, strings.ToLower(name)+" ") && len(records) > 0 {
			return true
		}
	}
	return false
}

// eventually waits until f returns true.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 20 s", what)
		}
	}
}
