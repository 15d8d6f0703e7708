package ring_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/internal/ring"
)

// fleet is n servers of weight 1.
func fleet(n int) []ring.Server {
	servers := make([]ring.Server, n)
	for i := range servers {
		servers[i] = ring.Server{Addr: fmt.Sprintf("cache-%d.internal:11211", i), Weight: 1}
	}
	return servers
}

// keys is n different keys.
func keys(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("user:%d:profile", i)
	}
	return keys
}

func TestPick_NoServers(t *testing.T) {
	for name, place := range placements {
		for _, servers := range [][]ring.Server{nil, {}} {
			if got := place(servers)("key"); got != -1 {
				t.Errorf("%s(%v): pick = %d, want -1", name, servers, got)
			}
		}
	}
}

func TestPick_OneServer(t *testing.T) {
	for name, place := range placements {
		pick := place([]ring.Server{{Addr: "only:11211"}})
		for _, key := range []string{"", "key", strings.Repeat("k", 1000)} {
			if got := pick(key); got != 0 {
				t.Errorf("%s: pick(%q) = %d, want 0", name, key, got)
			}
		}
	}
}

func TestPick_OddServersStayInRange(t *testing.T) {
	long := strings.Repeat("h", 5000)
	for _, servers := range [][]ring.Server{
		{{}, {}},
		{{Addr: "same:1"}, {Addr: "same:1"}, {Addr: "same:1"}},
		{{Addr: "no-port"}, {Addr: ":"}, {Addr: "[::1"}, {Addr: "/"}},
		{{Addr: long + ":1"}, {Addr: "/" + long}},
		{{Addr: "a:1", Weight: math.MaxInt}, {Addr: "b:1", Weight: math.MinInt}, {Addr: "c:1", Weight: math.MaxInt}},
	} {
		for name, place := range placements {
			pick := place(servers)
			for _, key := range append(keys(100), "", "\x00", long) {
				if got := pick(key); got < 0 || got >= len(servers) {
					t.Errorf("%s: pick(%.20q) = %d, want an index below %d", name, key, got, len(servers))
				}
			}
		}
	}
}

func TestPick_WeightBelowOneIsOne(t *testing.T) {
	weighted := func(weights ...int) []ring.Server {
		servers := fleet(len(weights))
		for i := range servers {
			servers[i].Weight = weights[i]
		}
		return servers
	}
	for name, place := range placements {
		want, got := place(weighted(1, 3, 1)), place(weighted(0, 3, -7))
		for _, key := range keys(500) {
			if g, w := got(key), want(key); g != w {
				t.Fatalf("%s: pick(%q) = %d with weights below 1, want %d", name, key, g, w)
			}
		}
	}
}

// TestPick_OnlyTheKeysOfALeavingServerMove is what a ring is for: taking a
// server away moves its own keys, about one in n, and hardly any other.
func TestPick_OnlyTheKeysOfALeavingServerMove(t *testing.T) {
	const n, total = 10, 20000
	servers := fleet(n)
	for name, place := range placements {
		if name == "gomemcache" || strings.Contains(name, "modul") { // moves nearly all, as documented
			continue
		}
		before := place(servers)
		gone := n / 2
		after := place(slices.Delete(slices.Clone(servers), gone, gone+1))
		moved, needless := 0, 0
		for _, key := range keys(total) {
			was, is := before(key), after(key)
			if is >= gone {
				is++
			}
			if was == is {
				continue
			}
			moved++
			if was != gone {
				needless++
			}
		}
		if low, high := total/n/3, total/n*2; moved < low || moved > high {
			t.Errorf("%s: %d of %d keys moved, want between %d and %d", name, moved, total, low, high)
		}
		if needless != 0 {
			t.Errorf("%s: %d keys of other servers moved, want 0", name, needless)
		}
	}
}

func TestPick_SharesFollowWeights(t *testing.T) {
	servers := fleet(4)
	total := 0
	for i := range servers {
		servers[i].Weight = i + 1
		total += i + 1
	}
	for _, name := range []string{"libmemcached", "spymemcached", "dalli"} {
		pick := placements[name](servers)
		counts := make([]int, len(servers))
		const n = 40000
		for _, key := range keys(n) {
			counts[pick(key)]++
		}
		for i, count := range counts {
			want := n * servers[i].Weight / total
			if count < want*2/3 || count > want*3/2 {
				t.Errorf("%s: server %d of weight %d has %d keys, want about %d", name, i, servers[i].Weight, count, want)
			}
		}
	}
}

// TestBMemcached_CredentialsAreHashedAlong pins the trap that its documentation
// warns of.
func TestBMemcached_CredentialsAreHashedAlong(t *testing.T) {
	servers := fleet(3)
	before, after := ring.BMemcached("user", "old", servers), ring.BMemcached("user", "new", servers)
	const n = 9000
	moved := 0
	for _, key := range keys(n) {
		if before(key) != after(key) {
			moved++
		}
	}
	if moved < n/2 || moved > n*5/6 {
		t.Errorf("a new password moved %d of %d keys, want about two thirds", moved, n)
	}
}

func TestPick_DoesNotAllocate(t *testing.T) {
	key := strings.Repeat("k", 250)
	for name, place := range placements {
		pick := place(fleet(64))
		if got := testing.AllocsPerRun(100, func() { pick(key) }); got != 0 {
			t.Errorf("%s: pick allocates %v times, want 0", name, got)
		}
	}
}

func TestPick_ConcurrentUse(t *testing.T) {
	for name, place := range placements {
		pick := place(fleet(5))
		all := keys(200)
		want := make([]int, len(all))
		for i, key := range all {
			want[i] = pick(key)
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for i, key := range all {
					if got := pick(key); got != want[i] {
						t.Errorf("%s: pick(%q) = %d, want %d", name, key, got, want[i])
					}
				}
			})
		}
		wg.Wait()
	}
}

// TestPick_IgnoresLaterChangesToServers: the slice belongs to the caller again
// when a constructor has returned.
func TestPick_IgnoresLaterChangesToServers(t *testing.T) {
	for name, place := range placements {
		servers := fleet(7)
		pick := place(servers)
		want := place(fleet(7))
		clear(servers)
		for _, key := range keys(100) {
			if g, w := pick(key), want(key); g != w {
				t.Fatalf("%s: pick(%q) = %d after the slice was cleared, want %d", name, key, g, w)
			}
		}
	}
}

func FuzzPick(f *testing.F) {
	picks := map[string]func(string) int{}
	for name, place := range placements {
		picks[name] = place(fleet(13))
	}
	for _, seed := range []string{"", "k", "user:140891", "VDEAAAAA", strings.Repeat("a", 250), "\x00\xff", "schlüssel"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		for name, pick := range picks {
			got := pick(key)
			if got < 0 || got >= 13 {
				t.Errorf("%s: pick(%q) = %d, want 0 to 12", name, key, got)
			}
			if again := pick(strings.Clone(key)); again != got {
				t.Errorf("%s: pick(%q) = %d, then %d", name, key, got, again)
			}
		}
	})
}

// FuzzServers looks for names and weights that break building a ring.
func FuzzServers(f *testing.F) {
	f.Add("a:11211", 1, "b:11211", 2, "key")
	f.Add("/run/a.sock", 0, "[::1]:11211", -1, "")
	f.Add("", math.MaxInt, "", math.MinInt, "k")
	f.Fuzz(func(t *testing.T, a string, weightA int, b string, weightB int, key string) {
		servers := []ring.Server{{Addr: a, Weight: weightA}, {Addr: b, Weight: weightB}, {Addr: "c:11211", Weight: 1}}
		for name, place := range placements {
			if got := place(servers)(key); got < 0 || got >= len(servers) {
				t.Errorf("%s(%v): pick(%q) = %d, want 0 to 2", name, servers, key, got)
			}
		}
	})
}

func BenchmarkPick(b *testing.B) {
	for _, name := range []string{"libmemcached", "spymemcached", "dalli", "gomemcache", "bmemcached"} {
		for _, n := range []int{1, 2, 8, 64, 1000} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				pick := placements[name](fleet(n))
				keys := keys(1024)
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					pick(keys[i&1023])
					i++
				}
			})
		}
	}
}

func BenchmarkBuild(b *testing.B) {
	for _, name := range []string{"libmemcached", "spymemcached", "dalli", "gomemcache", "bmemcached"} {
		b.Run(name+"/1000", func(b *testing.B) {
			servers := fleet(1000)
			b.ReportAllocs()
			for b.Loop() {
				placements[name](servers)
			}
		})
	}
}

// TestPick_OrderOfServers matters to placements that take a hash modulo their
// number, and not to rings.
func TestPick_OrderOfServers(t *testing.T) {
	servers := fleet(5)
	turned := append(slices.Clone(servers[2:]), servers[:2]...)
	for _, name := range []string{"libmemcached", "spymemcached", "dalli", "bmemcached"} {
		before, after := placements[name](servers), placements[name](turned)
		for _, key := range keys(1000) {
			if was, is := servers[before(key)].Addr, turned[after(key)].Addr; was != is {
				t.Fatalf("%s: %q moved from %s to %s", name, key, was, is)
			}
		}
	}
	before, after := placements["gomemcache"](servers), placements["gomemcache"](turned)
	same := 0
	for _, key := range keys(1000) {
		if servers[before(key)].Addr == turned[after(key)].Addr {
			same++
		}
	}
	if same > 0 {
		t.Errorf("modulo: %d of 1000 keys stayed, want none where all servers changed their places", same)
	}
}

// TestPick_NamesOfOneServer: what a server is called decides, not where it is.
func TestPick_NamesOfOneServer(t *testing.T) {
	named := ring.Ketama([]ring.Server{{Addr: "cache-1:11211", Weight: 1}, {Addr: "cache-2:11211", Weight: 1}})
	addressed := ring.Ketama([]ring.Server{{Addr: "10.0.0.1:11211", Weight: 1}, {Addr: "cache-2:11211", Weight: 1}})
	moved := 0
	for _, key := range keys(1000) {
		if named(key) != addressed(key) {
			moved++
		}
	}
	if moved < 250 {
		t.Errorf("%d of 1000 keys moved, want about half", moved)
	}
}
