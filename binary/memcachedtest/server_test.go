package memcachedtest

import (
	"net"
	"testing"
	"testing/synctest"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

func roundTrip(t *testing.T, nc net.Conn, request []byte) wire.Frame {
	t.Helper()
	if _, err := nc.Write(request); err != nil {
		t.Fatal(err)
	}
	var f wire.Frame
	if _, err := f.Read(nc, nil, wire.MagicResponse, 2<<20); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestServer_AnswersOverTCPAndInMemory(t *testing.T) {
	s := Start(t, nil)
	tcp, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	set := append(wire.AppendStore(nil, wire.OpSet, 1, "k", 5, 7, 0, 0), "value"...)
	if f := roundTrip(t, tcp, set); f.Status != wire.StatusOK || f.CAS != 1 {
		t.Errorf("SET = %v with CAS %d, want %v with CAS 1", f.Status, f.CAS, wire.StatusOK)
	}
	mem, err := s.DialContext(t.Context(), "tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	if f := roundTrip(t, mem, wire.AppendKey(nil, wire.OpGet, 2, "k")); string(f.Value) != "value" {
		t.Errorf("GET = %v %q, want value", f.Status, f.Value)
	}
}

func TestServer_RunsInsideABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Start(t, nil)
		nc, err := s.DialContext(t.Context(), "tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		if f := roundTrip(t, nc, wire.AppendSimple(nil, wire.OpNoop, 2)); f.Opaque != 2 {
			t.Errorf("NOOP answered opaque %d, want 2", f.Opaque)
		}
		synctest.Wait()
	})
}
