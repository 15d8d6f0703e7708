package languages_test

import (
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/placement"
	"github.com/bmemcached/bmemcached-go/integration/faultproxy"
)

// A placing is a Distribution with its name.
type placing struct {
	name         string
	distribution memcached.Distribution
}

var ketama = placing{"Ketama", memcached.Ketama}

// placements is all that a language might place its keys by.
func placements() []placing {
	return []placing{
		ketama, java.place, ruby.place, python.place, tools.place, memjs.place,
		{"BMemcached without credentials", placement.BMemcached("", "")},
		{"BMemcached with another password", placement.BMemcached(username, "other")},
		{"Modulo", placement.Gomemcache},
	}
}

// md5Modulo is what libmemcached does without ketama when its hash is MD5, as
// memccp --hash=md5 does: a Distribution of one's own.
func md5Modulo(servers []memcached.Server) func(key string) int {
	return func(key string) int {
		sum := md5.Sum([]byte(key))
		return int(binary.LittleEndian.Uint32(sum[:4]) % uint32(len(servers)))
	}
}

// distributed is every language that spreads keys over servers.
func distributed() []language {
	return []language{python, pylibmc, ruby, java, php, tools, memjs}
}

// A fleet is both clients on several servers.
type fleet struct {
	pair
	servers []string
	weights map[string]int
}

// keys returns n keys like those of programs.
func (f fleet) keys(owner string, n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("%s:user:%d:%x", owner, i, i*7919)
	}
	return keys
}

// count is with how many keys a fleet is tried.
func (f fleet) count() int {
	if f.command[1] == tools.command[1] {
		return 12 // each takes a process
	}
	return 400
}

// join connects both clients to a fleet and empties it.
func (l language) join(t *testing.T, weights map[string]int, servers ...string) fleet {
	t.Helper()
	opts := &memcached.Options{Distribution: l.place.distribution, Weights: weights}
	var more args
	if weights != nil {
		more = args{"weights": weights}
	}
	p := pair{l, l.openWith(t, more, servers...), l.connectWith(t, opts, servers...)}
	if err := p.ours.FlushAll(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	return fleet{p, servers, weights}
}

// share has each client find every key that the other stores. The first ones
// are stored one by one, the rest together.
func (f fleet) share(t *testing.T) {
	keys := f.keys("theirs", f.count())
	f.theirs.set(t, keys[0], f.hello())
	values := args{}
	for _, key := range keys[1:] {
		values[key] = f.hello()
	}
	if !f.theirs.done(t, "set_multi", args{"values": values}) {
		t.Fatal("their set_multi was refused")
	}
	if got, err := f.ours.GetMulti(t.Context(), keys); len(got) != len(keys) || err != nil {
		t.Errorf("GetMulti found %d of their %d keys, %v", len(got), len(keys), err)
	}
	f.wantSpread(t, keys)

	keys = f.keys("ours", f.count())
	f.write(t, keys[0], f.ourHello())
	data, flags, err := f.codec.Encode(f.ourHello())
	if err != nil {
		t.Fatal(err)
	}
	var items []*memcached.Item
	for _, key := range keys[1:] {
		items = append(items, &memcached.Item{Key: key, Value: data, Flags: flags})
	}
	if err := f.ours.SetMulti(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	var found map[string]*value
	f.theirs.must(t, "get_multi", args{"keys": keys}, &found)
	if len(found) != len(keys) {
		t.Errorf("their get_multi found %d of our %d keys", len(found), len(keys))
	}
	for _, key := range []string{keys[0], keys[len(keys)-1]} {
		if got := f.theirs.get(t, key); !same(got, f.hello()) || !same(found[key], f.hello()) {
			t.Errorf("%q: they read %s and %s, want %s", key, short(got), short(found[key]), short(f.hello()))
		}
	}
}

// wantSpread fails the test unless every server holds keys, each on one server
// only: a fleet of one server would find them all.
func (f fleet) wantSpread(t *testing.T, keys []string) {
	t.Helper()
	total := 0
	for _, server := range f.servers {
		items, err := f.connect(t, server).GetMulti(t.Context(), keys)
		if len(items) == 0 || err != nil {
			t.Errorf("%s holds %d keys, %v", server, len(items), err)
		}
		total += len(items)
	}
	if total != len(keys) {
		t.Errorf("%d keys are stored %d times", len(keys), total)
	}
}

// wantMissing fails the test if a client with another placement finds all keys
// that the language stored.
func (f fleet) wantMissing(t *testing.T, other placing) {
	t.Helper()
	keys := f.keys("theirs", f.count())
	opts := &memcached.Options{Distribution: other.distribution, Weights: f.weights}
	items, err := f.connectWith(t, opts, f.servers...).GetMulti(t.Context(), keys)
	if err != nil || len(items) == len(keys) {
		t.Errorf("%s finds %d of %d keys, %v, want fewer", other.name, len(items), len(keys), err)
	}
}

// samePlace says whether two placements agree on servers of these addresses:
// the ketamas differ in how they name a server on port 11211 only.
func samePlace(a, b placing, port string) bool {
	if port != "11211" && strings.HasSuffix(a.name, "Ketama") && strings.HasSuffix(b.name, "Ketama") {
		return true
	}
	return a.name == b.name
}

func (f fleet) wantOthersMissing(t *testing.T) {
	t.Helper()
	_, port, err := net.SplitHostPort(f.servers[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range placements() {
		if !samePlace(f.place, other, port) {
			f.wantMissing(t, other)
		}
	}
}

// TestPlacement has each client find what the other stored on three servers,
// which only the Distribution for that language does.
func TestPlacement(t *testing.T) {
	servers := language{}.start(t, 3)
	t.Run("equal", func(t *testing.T) { shareAll(t, servers) })
	// libmemcached leaves port 11211 out of a server's name, spymemcached does not.
	t.Run("default port", func(t *testing.T) { shareAll(t, onDefaultPort(t, servers)) })
	t.Run("weighted", func(t *testing.T) { shareWeighted(t, servers) })
	t.Run("spymemcached by name", func(t *testing.T) { shareNamed(t, servers) })
}

func shareAll(t *testing.T, servers []string) {
	for _, l := range distributed() {
		t.Run(l.name, func(t *testing.T) {
			f := l.join(t, nil, servers...)
			f.share(t)
			f.wantOthersMissing(t)
		})
	}
}

// shareWeighted is for the clients that know weights.
func shareWeighted(t *testing.T, servers []string) {
	weights := map[string]int{servers[0]: 1, servers[1]: 5, servers[2]: 2}
	for _, l := range []language{pylibmc, ruby, java, php} {
		t.Run(l.name, func(t *testing.T) {
			f := l.join(t, weights, servers...)
			f.share(t)
			f.weights = nil
			f.wantMissing(t, l.place)
		})
	}
}

// shareNamed is for Java programs that name their servers: spymemcached hashes
// the name with the address that it was resolved to.
func shareNamed(t *testing.T, servers []string) {
	var names []string
	resolved := map[string]string{}
	for _, server := range servers {
		name := strings.Replace(server, "127.0.0.1", "localhost", 1)
		names = append(names, name)
		resolved[name] = "localhost/" + server
	}
	named := java
	named.place = placing{"SpymemcachedKetama of resolved names", func(servers []memcached.Server) func(string) int {
		hashed := make([]memcached.Server, len(servers))
		for i, s := range servers {
			hashed[i] = memcached.Server{Addr: resolved[s.Addr], Weight: s.Weight}
		}
		return placement.SpymemcachedKetama(hashed)
	}}
	f := named.join(t, nil, names...)
	f.share(t)
	f.wantMissing(t, java.place)
}

// onDefaultPort makes servers reachable at port 11211 of other loopback
// addresses.
func onDefaultPort(t *testing.T, servers []string) (proxies []string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has more than one loopback address")
	}
	net := fmt.Sprintf("127.%d.%d", 1+rand.IntN(250), rand.IntN(250))
	for i, server := range servers {
		addr := fmt.Sprintf("%s.%d:11211", net, i+1)
		proxies = append(proxies, faultproxy.StartAt(t, addr, server).Addr())
	}
	return proxies
}

// TestPlacement_WithoutCredentials is python-binary-memcached on servers without
// SASL: credentials are part of the names that it hashes.
func TestPlacement_WithoutCredentials(t *testing.T) {
	open := python
	open.noSASL = true
	open.place = placing{"BMemcached without credentials", placement.BMemcached("", "")}
	f := open.join(t, nil, open.start(t, 3)...)
	f.share(t)
	f.wantOthersMissing(t)
}
