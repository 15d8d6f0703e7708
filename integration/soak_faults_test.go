package integration_test

import (
	"bytes"
	"math/rand/v2"
	"time"

	"github.com/bmemcached/bmemcached-go/integration/faultproxy"
)

// soakFaults are what happens to one of the servers. Each ends by itself.
var soakFaults = []struct {
	name string
	do   func(s *soak, which int)
}{
	{"killed", func(s *soak, which int) {
		s.servers[which].Kill()
		time.Sleep(upTo(time.Second)) // how long it is dead
		s.servers[which].Restart()
	}},
	{"stalled", func(s *soak, which int) { // what is held arrives after what new connections have carried
		release := make(chan struct{})
		s.proxies[which].Stall(release)
		time.Sleep(soakTimeout + upTo(soakTimeout/2)) // how long it lasts
		close(release)
	}},
	{"frozen", func(s *soak, which int) {
		s.servers[which].Pause()
		time.Sleep(upTo(soakTimeout * 3 / 2)) // how long it is frozen
		s.servers[which].Resume()
	}},
	{"cut", func(s *soak, which int) { s.proxies[which].CutAll(false) }},
	{"reset", func(s *soak, which int) { s.proxies[which].CutAll(true) }},
	{"cut in an answer", func(s *soak, which int) {
		s.disturb(which, faultproxy.Faults{Responses: faultproxy.Direction{Cut: true, After: rand.IntN(1000)}})
	}},
	{"cut in a request", func(s *soak, which int) {
		s.disturb(which, faultproxy.Faults{Requests: faultproxy.Direction{Cut: true, After: rand.IntN(1000), Reset: true}})
	}},
	{"refusing", func(s *soak, which int) {
		s.proxies[which].CutAll(true)
		s.disturb(which, faultproxy.Faults{Refuse: true})
	}},
	{"black hole", func(s *soak, which int) {
		s.disturb(which, faultproxy.Faults{Requests: faultproxy.Direction{Swallow: true}, Responses: faultproxy.Direction{Swallow: true}})
	}},
	{"answers lost", func(s *soak, which int) {
		s.disturb(which, faultproxy.Faults{Responses: faultproxy.Direction{Swallow: true}})
	}},
	{"held", func(s *soak, which int) {
		release := make(chan struct{})
		time.AfterFunc(upTo(soakTimeout*3/2), func() { close(release) })
		s.disturb(which, faultproxy.Faults{Requests: faultproxy.Direction{Hold: release}})
		<-release
	}},
	{"slow", func(s *soak, which int) {
		s.disturb(which, faultproxy.Faults{Requests: faultproxy.Direction{Delay: upTo(5 * time.Millisecond)}})
	}},
}

func upTo(d time.Duration) time.Duration { return rand.N(d) }

// disturb makes the network of a server faulty for a while. Connections that lost
// bytes end with that: nothing but TCP would go on behind a hole.
func (s *soak) disturb(which int, f faultproxy.Faults) {
	s.proxies[which].Use(f)
	time.Sleep(upTo(2 * soakTimeout)) // how long it lasts
	if f.Requests.Swallow || f.Responses.Swallow {
		s.proxies[which].CutAll(true)
	}
	s.proxies[which].Use(faultproxy.Faults{})
}

// torment makes a fault every few seconds until ended is closed, takes the levels
// between them, and returns how often each fault was. When the callers make no
// progress for half a minute it shows what they do and ends the test.
func (s *soak) torment(ended <-chan struct{}) map[string]int {
	count := map[string]int{}
	for n := 0; ; n++ {
		before := s.outcomes.all()
		fault := soakFaults[n%len(soakFaults)]
		fault.do(s, rand.IntN(len(s.servers)))
		count[fault.name]++
		stuck := time.After(30 * time.Second)
		for s.outcomes.all() == before {
			select {
			case <-ended:
				return count
			case <-stuck:
				s.t.Fatalf("no operation ended within 30 s of %q:\n%s", fault.name, bytes.Join(goroutines(), []byte("\n\n")))
			case <-time.After(10 * time.Millisecond):
			}
		}
		select {
		case <-ended:
			return count
		case <-time.After(upTo(2 * time.Second)): // between faults
		}
		s.levels.take()
	}
}
