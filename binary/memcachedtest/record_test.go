package memcachedtest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

func TestRequests_AreThoseThatArrived(t *testing.T) {
	s := Start(t, nil)
	if got := s.Requests(); len(got) != 0 {
		t.Errorf("Requests() of a new server = %v, want none", got)
	}
	first, second := dialMemory(t, s), dialMemory(t, s)
	ask(t, first, append(wire.AppendStore(nil, wire.OpSet, 5, "k", 3, 0, 0, 9), "abc"...))
	ask(t, second, append(wire.AppendKey(nil, wire.OpGetQ, 6, "other"), wire.AppendSimple(nil, wire.OpNoop, 7)...))
	want := []Request{
		{Conn: 1, Op: "SET", Key: "k", ValueLen: 3, CAS: 9, Opaque: 5},
		{Conn: 2, Op: "GETQ", Key: "other", Opaque: 6},
		{Conn: 2, Op: "NOOP", Opaque: 7},
	}
	if got := s.Requests(); !slices.Equal(got, want) {
		t.Errorf("Requests() = %+v, want %+v", got, want)
	}
	for _, test := range []struct {
		ops  []string
		want uint64
	}{{nil, 3}, {[]string{"GETQ"}, 1}, {[]string{"SET", "NOOP"}, 2}, {[]string{"GET"}, 0}} {
		if got := s.RequestCount(test.ops...); got != test.want {
			t.Errorf("RequestCount(%q) = %d, want %d", test.ops, got, test.want)
		}
	}
	s.ForgetRequests()
	if got, n := s.Requests(), s.RequestCount(); len(got) != 0 || n != 0 {
		t.Errorf("after ForgetRequests, Requests() = %v and RequestCount() = %d, want none", got, n)
	}
}

func TestRequests_AreTheLatest(t *testing.T) {
	s := Start(t, nil)
	nc := dialMemory(t, s)
	const n = maxRecorded + 100
	for i := range n {
		ask(t, nc, getRequest(fmt.Sprint(i)))
	}
	got := s.Requests()
	if len(got) != maxRecorded {
		t.Fatalf("%d requests are remembered, want %d", len(got), maxRecorded)
	}
	for i, r := range got {
		if want := fmt.Sprint(n - maxRecorded + i); r.Key != want {
			t.Fatalf("Requests()[%d].Key = %q, want %q", i, r.Key, want)
		}
	}
	if got := s.RequestCount("GET"); got != n {
		t.Errorf("RequestCount(GET) = %d, want %d", got, n)
	}
}

func TestRequests_RecordingAllocatesNothing(t *testing.T) {
	var r recorder
	req := &request{key: []byte("key")}
	for range maxRecorded {
		r.add(1, req)
	}
	if n := testing.AllocsPerRun(100, func() { r.add(1, req) }); n != 0 {
		t.Errorf("recording a request allocates %v times, want 0", n)
	}
}
