package memcached

import (
	"encoding/binary"
	"fmt"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// multiBatch is a batch of an operation on several keys.
type multiBatch interface {
	batch
	failures() failures
	keys() []string
}

// failures are the error responses of a batch, by the index within it.
type failures map[int]error

// answers is what a batch notes of its responses.
type answers struct {
	failed failures
	next   int // the lowest index that may come
}

func (a *answers) failures() failures { return a.failed }

// check makes sure that responses come in the order of the requests, each once.
func (a *answers) check(r *response) error {
	if r.index < a.next {
		return fmt.Errorf("%w: response %d of a batch after %d", wire.ErrFrame, r.index, a.next-1)
	}
	a.next = r.index + 1
	return nil
}

func (a *answers) fail(index int, err error) {
	if a.failed == nil {
		a.failed = failures{}
	}
	a.failed[index] = err
}

// failStatus notes the response that says that a request failed.
func (a *answers) failStatus(r *response) {
	a.fail(r.index, &StatusError{Status: Status(r.Status), Message: string(r.value[:min(len(r.value), maxMessage)])})
}

// getBatch is GETKQ for all keys but the last, and GETK for that. The keys in
// the responses prove which of them a value belongs to: a damaged opaque would
// give it to another.
type getBatch struct {
	answers
	multi *multi
	which []int
	items []Item // Value is nil for what was not found
}

func (b *getBatch) keys() []string { return b.multi.keysOf(b.which) }

func (b *getBatch) reset() { clear(b.items); b.answers = answers{} }

func (b *getBatch) encode(dst []byte, first uint32) []byte {
	for j, i := range b.which {
		op := wire.OpGetKQ
		if j == len(b.which)-1 {
			op = wire.OpGetK
		}
		at := len(dst)
		dst = wire.AppendKey(dst, op, first+uint32(j), b.multi.key(i))
		dst = b.multi.prefixed(dst, at)
	}
	return dst
}

func (b *getBatch) deliver(r *response) error {
	if err := b.check(r); err != nil {
		return err
	}
	switch r.Status {
	case wire.StatusOK:
	case wire.StatusKeyNotFound:
		return nil
	default:
		b.failStatus(r)
		return nil
	}
	if len(r.extras) != 4 {
		return fmt.Errorf("%w: %s with %d bytes of extras", wire.ErrFrame, r.Opcode, len(r.extras))
	}
	if !b.multi.isKey(r.key, b.which[r.index]) {
		return fmt.Errorf("%w: %s with the value of another key", wire.ErrFrame, r.Opcode)
	}
	if r.skipped > 0 {
		b.fail(r.index, notRead(r.skipped, b.multi.client.maxFrame))
		return nil
	}
	b.items[r.index] = Item{Value: r.keep(), Flags: binary.BigEndian.Uint32(r.extras)}
	if !b.multi.client.opts.Replicate {
		b.items[r.index].CAS = r.CAS
	}
	return nil
}

func (b *getBatch) last(r *response) bool { return r.index == len(b.which)-1 }

// prefixed puts Options.Prefix before the key of the request at dst[at:].
func (m *multi) prefixed(dst []byte, at int) []byte {
	if prefix := m.client.opts.Prefix; prefix != "" {
		return wire.InsertPrefix(dst, at, prefix)
	}
	return dst
}

// isKey reports whether a key from the wire is the i-th.
func (m *multi) isKey(wired []byte, i int) bool {
	prefix := m.client.opts.Prefix
	return len(wired) >= len(prefix) && string(wired[:len(prefix)]) == prefix && string(wired[len(prefix):]) == m.key(i)
}

// setBatch is SETQ for all items but the last, and SET for that.
type setBatch struct {
	answers
	multi *multi
	which []int
}

func (b *setBatch) keys() []string { return b.multi.keysOf(b.which) }

func (b *setBatch) reset() { b.answers = answers{} }

func (b *setBatch) encode(dst []byte, first uint32) []byte {
	for j, i := range b.which {
		op, item, at := wire.OpSetQ, b.multi.items[i], len(dst)
		if j == len(b.which)-1 {
			op = wire.OpSet
		}
		dst = wire.AppendStore(dst, op, first+uint32(j), item.Key, len(item.Value), item.Flags, expiry(item.TTL), 0)
		dst = b.multi.prefixed(dst, at)
		dst = append(dst, item.Value...)
	}
	return dst
}

func (b *setBatch) deliver(r *response) error {
	if r.Status != wire.StatusOK {
		b.failStatus(r)
	}
	return b.check(r)
}

func (b *setBatch) last(r *response) bool { return r.index == len(b.which)-1 }

// deleteBatch is DELETEQ for all keys but the last, and DELETE for that.
type deleteBatch struct {
	answers
	multi *multi
	which []int
}

func (b *deleteBatch) keys() []string { return b.multi.keysOf(b.which) }

func (b *deleteBatch) reset() { b.answers = answers{} }

func (b *deleteBatch) encode(dst []byte, first uint32) []byte {
	for j, i := range b.which {
		op := wire.OpDeleteQ
		if j == len(b.which)-1 {
			op = wire.OpDelete
		}
		at := len(dst)
		dst = wire.AppendDelete(dst, op, first+uint32(j), b.multi.key(i), 0)
		dst = b.multi.prefixed(dst, at)
	}
	return dst
}

func (b *deleteBatch) deliver(r *response) error {
	if r.Status != wire.StatusOK && r.Status != wire.StatusKeyNotFound {
		b.failStatus(r)
	}
	return b.check(r)
}

func (b *deleteBatch) last(r *response) bool { return r.index == len(b.which)-1 }
