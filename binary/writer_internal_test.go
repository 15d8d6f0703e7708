package memcached

import (
	"syscall"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

func TestLastRequest_IsWhereTheLastFrameBegins(t *testing.T) {
	get := wire.AppendKey(nil, wire.OpGet, 1, "key")
	noop := wire.AppendSimple(nil, wire.OpNoop, 2)
	set := append(wire.AppendStore(nil, wire.OpSet, 3, "key", 5, 0, 0, 0), "value"...)
	for _, test := range []struct {
		name     string
		requests [][]byte
		want     int
	}{
		{"one", [][]byte{get}, 0},
		{"one without a body", [][]byte{noop}, 0},
		{"two", [][]byte{get, noop}, len(get)},
		{"three", [][]byte{get, noop, set}, len(get) + len(noop)},
		{"a value before the last", [][]byte{set, get}, len(set)},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out []byte
			for _, request := range test.requests {
				out = append(out, request...)
			}
			if got := lastRequest(out); got != test.want {
				t.Errorf("lastRequest of %d bytes = %d, want %d", len(out), got, test.want)
			}
		})
	}
}

// someSocket is a connection below which there is a socket, as with TLS or on systems
// where all calls are those of package net.
func someSocket() *conn { return &conn{raw: struct{ syscall.RawConn }{}} }

func TestFitsInline_OnlyWhatASocketCertainlyTakes(t *testing.T) {
	for _, test := range []struct {
		name             string
		c                *conn
		queued, answered uint64
		want             bool
	}{
		{"little", someSocket(), inlineLimit, 0, true},
		{"more", someSocket(), inlineLimit + 1, 0, false},
		{"more, but it is answered", someSocket(), 100 * inlineLimit, 99 * inlineLimit, true},
		{"little, without a socket", &conn{}, 100, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.c.out.queued, test.c.out.unsent = test.queued, int(test.queued-test.answered)
			test.c.answered.Store(test.answered)
			if got := test.c.fitsInline(); got != test.want {
				t.Errorf("fitsInline() = %v with %d bytes unanswered, want %v", got, test.queued-test.answered, test.want)
			}
		})
	}
}
