package memcached

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// Whatever is withdrawn, the rest goes out as if nothing else had been there.
func TestWithdraw_LeavesTheRest(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for range 500 {
		var o outbox
		calls := make([]*call, 1+random.IntN(20))
		for i := range calls {
			calls[i] = randomCall(random, i)
			o.enqueue(calls[i], true, 0)
		}
		var want []byte
		unsent := 0
		for _, cl := range calls {
			if random.IntN(2) == 0 {
				want = append(want, frames(cl)...)
				unsent += int(cl.size)
				continue
			}
			if !o.withdraw(cl, func() bool { return true }) {
				t.Fatalf("seed %d: a call that nobody wrote was not withdrawn", seed)
			}
			if cl.hold != nil {
				select {
				case <-cl.hold.released:
				default:
					t.Fatalf("seed %d: its value is still held", seed)
				}
			}
		}
		if o.unsent != unsent {
			t.Fatalf("seed %d: %d bytes are unsent, want %d", seed, o.unsent, unsent)
		}
		buf, segments, _ := o.take()
		if got := bytes.Join(interleave(buf, segments), nil); !bytes.Equal(got, want) {
			t.Fatalf("seed %d: %d bytes are left, want %d others", seed, len(got), len(want))
		}
		if o.sent != o.queued || o.withdraw(calls[0], func() bool { return true }) {
			t.Fatalf("seed %d: what the writer took counts as unsent", seed)
		}
	}
}

// randomCall returns a write: small, held in the slice of its caller, or a batch.
func randomCall(random *rand.Rand, i int) *call {
	cl := &call{request: request{op: wire.OpSet, key: fmt.Sprint("key-", i)}, span: 1}
	switch random.IntN(3) {
	case 0:
		cl.value = bytes.Repeat([]byte{byte(i)}, random.IntN(100))
	case 1:
		cl.value = bytes.Repeat([]byte{byte(i)}, largeValue+random.IntN(100))
	default:
		m := &multi{client: &Client{}, key: func(j int) string { return fmt.Sprintf("key-%d-%d", i, j) }}
		cl.op, cl.key, cl.span = wire.OpDelete, "", 3
		cl.batch = &deleteBatch{multi: m, which: []int{0, 1, 2}}
	}
	return cl
}

// frames returns what cl puts on the wire.
func frames(cl *call) []byte {
	if cl.batch != nil {
		return cl.batch.encode(nil, cl.opaque)
	}
	return cl.append(nil, cl.opaque, true)
}
