package wire

import (
	"strings"
	"testing"
)

// opcodes are those of memcached's protocol_binary.h.
var opcodes = map[Opcode]string{
	0x00: "GET", 0x01: "SET", 0x02: "ADD", 0x03: "REPLACE", 0x04: "DELETE",
	0x05: "INCREMENT", 0x06: "DECREMENT", 0x07: "QUIT", 0x08: "FLUSH",
	0x09: "GETQ", 0x0a: "NOOP", 0x0b: "VERSION", 0x0c: "GETK", 0x0d: "GETKQ",
	0x0e: "APPEND", 0x0f: "PREPEND", 0x10: "STAT", 0x11: "SETQ", 0x12: "ADDQ",
	0x13: "REPLACEQ", 0x14: "DELETEQ", 0x15: "INCREMENTQ", 0x16: "DECREMENTQ",
	0x17: "QUITQ", 0x18: "FLUSHQ", 0x19: "APPENDQ", 0x1a: "PREPENDQ",
	0x1c: "TOUCH", 0x1d: "GAT", 0x1e: "GATQ", 0x20: "SASL LIST",
	0x21: "SASL AUTH", 0x22: "SASL STEP", 0x23: "GATK", 0x24: "GATKQ",
}

func TestOpcode_Names(t *testing.T) {
	for code := range 256 {
		op := Opcode(code)
		want, known := opcodes[op]
		if got := op.String(); known && got != want || !known && !strings.HasPrefix(got, "opcode 0x") {
			t.Errorf("Opcode(0x%02x).String() = %q, want %q", uint8(op), got, want)
		}
	}
}

func TestOpcode_QuietForms(t *testing.T) {
	for op, name := range opcodes {
		switch quiet := op.Quiet(); {
		case op.IsQuiet() != strings.HasSuffix(name, "Q"):
			t.Errorf("%v.IsQuiet() = %v", op, op.IsQuiet())
		case op.IsQuiet() && (quiet != op || op.Loud().String()+"Q" != name):
			t.Errorf("%v: Quiet %v, Loud %v", op, quiet, op.Loud())
		case !op.IsQuiet() && op.Loud() != op:
			t.Errorf("%v.Loud() = %v, want itself", op, op.Loud())
		case quiet != op && (quiet.String() != name+"Q" || quiet.Loud() != op):
			t.Errorf("%v.Quiet() = %v", op, quiet)
		case quiet == op && !op.IsQuiet() && hasOpcode(name+"Q"):
			t.Errorf("%v.Quiet() = itself, want %sQ", op, name)
		}
	}
}

func hasOpcode(name string) bool {
	for _, n := range opcodes {
		if n == name {
			return true
		}
	}
	return false
}

func TestStatus_Texts(t *testing.T) {
	for status, want := range map[Status]string{
		0x00: "no error", 0x01: "not found", 0x02: "key exists", 0x03: "too large",
		0x04: "invalid arguments", 0x05: "not stored", 0x06: "not a number",
		0x20: "authentication required or refused", 0x21: "authentication continues",
		0x81: "unknown command", 0x82: "out of memory", 0x1234: "status 0x1234",
	} {
		if got := status.String(); got != want {
			t.Errorf("Status(0x%02x).String() = %q, want %q", uint16(status), got, want)
		}
	}
}
