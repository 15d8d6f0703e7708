package memcachedtest

import (
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// TestOps_AreTheNamesOfRequests: a constant stands for every opcode of the
// protocol.
func TestOps_AreTheNamesOfRequests(t *testing.T) {
	for op, name := range map[wire.Opcode]string{
		wire.OpGet:        OpGet,
		wire.OpSet:        OpSet,
		wire.OpAdd:        OpAdd,
		wire.OpReplace:    OpReplace,
		wire.OpDelete:     OpDelete,
		wire.OpIncrement:  OpIncrement,
		wire.OpDecrement:  OpDecrement,
		wire.OpQuit:       OpQuit,
		wire.OpFlush:      OpFlush,
		wire.OpGetQ:       OpGetQ,
		wire.OpNoop:       OpNoop,
		wire.OpVersion:    OpVersion,
		wire.OpGetK:       OpGetK,
		wire.OpGetKQ:      OpGetKQ,
		wire.OpAppend:     OpAppend,
		wire.OpPrepend:    OpPrepend,
		wire.OpStat:       OpStat,
		wire.OpSetQ:       OpSetQ,
		wire.OpAddQ:       OpAddQ,
		wire.OpReplaceQ:   OpReplaceQ,
		wire.OpDeleteQ:    OpDeleteQ,
		wire.OpIncrementQ: OpIncrementQ,
		wire.OpDecrementQ: OpDecrementQ,
		wire.OpQuitQ:      OpQuitQ,
		wire.OpFlushQ:     OpFlushQ,
		wire.OpAppendQ:    OpAppendQ,
		wire.OpPrependQ:   OpPrependQ,
		wire.OpTouch:      OpTouch,
		wire.OpGAT:        OpGAT,
		wire.OpGATQ:       OpGATQ,
		wire.OpSASLList:   OpSASLList,
		wire.OpSASLAuth:   OpSASLAuth,
		wire.OpSASLStep:   OpSASLStep,
		wire.OpGATK:       OpGATK,
		wire.OpGATKQ:      OpGATKQ,
	} {
		if name != op.String() {
			t.Errorf("the constant of opcode 0x%02x is %q, want %q", uint8(op), name, op)
		}
	}
}
