package memcached

import (
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
