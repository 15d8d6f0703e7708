package wire

import "fmt"

// Opcode names what a frame asks for or answers.
type Opcode uint8

// The request opcodes that memcached has (protocol_binary.h). Those that end
// in Q are quiet: the server answers a GET only on a hit and everything else
// only on failure.
const (
	OpGet        Opcode = 0x00
	OpSet        Opcode = 0x01
	OpAdd        Opcode = 0x02
	OpReplace    Opcode = 0x03
	OpDelete     Opcode = 0x04
	OpIncrement  Opcode = 0x05
	OpDecrement  Opcode = 0x06
	OpQuit       Opcode = 0x07
	OpFlush      Opcode = 0x08
	OpGetQ       Opcode = 0x09
	OpNoop       Opcode = 0x0a
	OpVersion    Opcode = 0x0b
	OpGetK       Opcode = 0x0c
	OpGetKQ      Opcode = 0x0d
	OpAppend     Opcode = 0x0e
	OpPrepend    Opcode = 0x0f
	OpStat       Opcode = 0x10
	OpSetQ       Opcode = 0x11
	OpAddQ       Opcode = 0x12
	OpReplaceQ   Opcode = 0x13
	OpDeleteQ    Opcode = 0x14
	OpIncrementQ Opcode = 0x15
	OpDecrementQ Opcode = 0x16
	OpQuitQ      Opcode = 0x17
	OpFlushQ     Opcode = 0x18
	OpAppendQ    Opcode = 0x19
	OpPrependQ   Opcode = 0x1a
	OpTouch      Opcode = 0x1c
	OpGAT        Opcode = 0x1d
	OpGATQ       Opcode = 0x1e
	OpSASLList   Opcode = 0x20
	OpSASLAuth   Opcode = 0x21
	OpSASLStep   Opcode = 0x22
	OpGATK       Opcode = 0x23
	OpGATKQ      Opcode = 0x24
)

var opcodeNames = [...]string{
	OpGet: "GET", OpSet: "SET", OpAdd: "ADD", OpReplace: "REPLACE",
	OpDelete: "DELETE", OpIncrement: "INCREMENT", OpDecrement: "DECREMENT",
	OpQuit: "QUIT", OpFlush: "FLUSH", OpGetQ: "GETQ", OpNoop: "NOOP",
	OpVersion: "VERSION", OpGetK: "GETK", OpGetKQ: "GETKQ",
	OpAppend: "APPEND", OpPrepend: "PREPEND", OpStat: "STAT", OpSetQ: "SETQ",
	OpAddQ: "ADDQ", OpReplaceQ: "REPLACEQ", OpDeleteQ: "DELETEQ",
	OpIncrementQ: "INCREMENTQ", OpDecrementQ: "DECREMENTQ", OpQuitQ: "QUITQ",
	OpFlushQ: "FLUSHQ", OpAppendQ: "APPENDQ", OpPrependQ: "PREPENDQ",
	OpTouch: "TOUCH", OpGAT: "GAT", OpGATQ: "GATQ", OpSASLList: "SASL LIST",
	OpSASLAuth: "SASL AUTH", OpSASLStep: "SASL STEP", OpGATK: "GATK",
	OpGATKQ: "GATKQ",
}

// String returns the protocol's name of op.
func (op Opcode) String() string {
	if int(op) < len(opcodeNames) && opcodeNames[op] != "" {
		return opcodeNames[op]
	}
	return fmt.Sprintf("opcode 0x%02x", uint8(op))
}

var quietForms = map[Opcode]Opcode{
	OpGet: OpGetQ, OpGetK: OpGetKQ, OpSet: OpSetQ, OpAdd: OpAddQ,
	OpReplace: OpReplaceQ, OpDelete: OpDeleteQ, OpIncrement: OpIncrementQ,
	OpDecrement: OpDecrementQ, OpQuit: OpQuitQ, OpFlush: OpFlushQ,
	OpAppend: OpAppendQ, OpPrepend: OpPrependQ, OpGAT: OpGATQ, OpGATK: OpGATKQ,
}

// Quiet returns the quiet form of op, and op itself if it has none. (There is
// no quiet TOUCH.)
func (op Opcode) Quiet() Opcode {
	if q, ok := quietForms[op]; ok {
		return q
	}
	return op
}

// loudForms is no map, as it is looked at for each response of a batch.
var loudForms = func() (loud [256]Opcode) {
	for i := range loud {
		loud[i] = Opcode(i)
	}
	for l, q := range quietForms {
		loud[q] = l
	}
	return loud
}()

// Loud returns the form of op that is always answered, and op itself if it is
// that form.
func (op Opcode) Loud() Opcode { return loudForms[op] }

// IsQuiet reports whether op is the quiet form of an opcode.
func (op Opcode) IsQuiet() bool { return loudForms[op] != op }
