package wire

import (
	"bytes"
	"encoding/hex"
	"math"
	"strings"
	"testing"
)

// unhex reads the hexadecimal of a frame, in which spaces mean nothing and
// 'text' stands for its bytes.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	var b []byte
	for i, part := range strings.Split(s, "'") {
		if i%2 == 1 {
			b = append(b, part...)
			continue
		}
		piece, err := hex.DecodeString(strings.ReplaceAll(part, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, piece...)
	}
	return b
}

var longestKey = strings.Repeat("k", MaxKeyLen)

// The requests of the protocol's description (memcached, doc/protocol-binary.txt)
// come first, byte for byte; the rest follows its rules and those that
// proto_bin.c adds.
var requests = []struct {
	name   string
	encode func(dst []byte) []byte
	want   string
	value  string // appended by the caller
}{
	{
		name:   "get Hello",
		encode: func(dst []byte) []byte { return AppendKey(dst, OpGet, 0, "Hello") },
		want:   "80000005 00000000 00000005 00000000 0000000000000000 'Hello'",
	},
	{
		name:   "add Hello World, flags 0xdeadbeef, in two hours",
		encode: func(dst []byte) []byte { return AppendStore(dst, OpAdd, 0, "Hello", 5, 0xdeadbeef, 7200, 0) },
		want:   "80020005 08000000 00000012 00000000 0000000000000000 deadbeef 00001c20 'HelloWorld'",
		value:  "World",
	},
	{
		name:   "delete Hello",
		encode: func(dst []byte) []byte { return AppendDelete(dst, OpDelete, 0, "Hello", 0) },
		want:   "80040005 00000000 00000005 00000000 0000000000000000 'Hello'",
	},
	{
		name:   "increment counter by 1, from 0, in two hours",
		encode: func(dst []byte) []byte { return AppendCounter(dst, OpIncrement, 0, "counter", 1, 0, 7200) },
		want: "80050007 14000000 0000001b 00000000 0000000000000000" +
			"0000000000000001 0000000000000000 00001c20 'counter'",
	},
	{
		name:   "quit",
		encode: func(dst []byte) []byte { return AppendSimple(dst, OpQuit, 0) },
		want:   "80070000 00000000 00000000 00000000 0000000000000000",
	},
	{
		name:   "flush in two hours",
		encode: func(dst []byte) []byte { return AppendFlush(dst, OpFlush, 0, 7200) },
		want:   "80080000 04000000 00000004 00000000 0000000000000000 00001c20",
	},
	{
		name:   "noop",
		encode: func(dst []byte) []byte { return AppendSimple(dst, OpNoop, 0) },
		want:   "800a0000 00000000 00000000 00000000 0000000000000000",
	},
	{
		name:   "version",
		encode: func(dst []byte) []byte { return AppendSimple(dst, OpVersion, 0) },
		want:   "800b0000 00000000 00000000 00000000 0000000000000000",
	},
	{
		name:   "append ! to Hello",
		encode: func(dst []byte) []byte { return AppendConcat(dst, OpAppend, 0, "Hello", 1) },
		want:   "800e0005 00000000 00000006 00000000 0000000000000000 'Hello!'",
		value:  "!",
	},
	{
		name:   "stat",
		encode: func(dst []byte) []byte { return AppendKey(dst, OpStat, 0, "") },
		want:   "80100000 00000000 00000000 00000000 0000000000000000",
	},
	{
		name:   "stat of a group",
		encode: func(dst []byte) []byte { return AppendKey(dst, OpStat, 0x01020304, "items") },
		want:   "80100005 00000000 00000005 01020304 0000000000000000 'items'",
	},
	{
		name:   "getkq of the longest key",
		encode: func(dst []byte) []byte { return AppendKey(dst, OpGetKQ, math.MaxUint32, longestKey) },
		want:   "800d00fa 00000000 000000fa ffffffff 0000000000000000 '" + longestKey + "'",
	},
	{
		name: "setq with a version and an empty value",
		encode: func(dst []byte) []byte {
			return AppendStore(dst, OpSetQ, 7, "k", 0, 1, math.MaxUint32, 0x0102030405060708)
		},
		want: "80110001 08000000 00000009 00000007 0102030405060708 00000001 ffffffff 'k'",
	},
	{
		name:   "replace",
		encode: func(dst []byte) []byte { return AppendStore(dst, OpReplace, 7, "k", 1, 0, 0, 0) },
		want:   "80030001 08000000 0000000a 00000007 0000000000000000 00000000 00000000 'kv'",
		value:  "v",
	},
	{
		name:   "set with a large value to come",
		encode: func(dst []byte) []byte { return AppendStore(dst, OpSet, 0, "k", 1<<20, 0, 0, 0) },
		want:   "80010001 08000000 00100009 00000000 0000000000000000 00000000 00000000 'k'",
	},
	{
		name:   "deleteq of a version",
		encode: func(dst []byte) []byte { return AppendDelete(dst, OpDeleteQ, 1, "k", math.MaxUint64) },
		want:   "80140001 00000000 00000001 00000001 ffffffffffffffff 'k'",
	},
	{
		name: "decrement that does not create",
		encode: func(dst []byte) []byte {
			return AppendCounter(dst, OpDecrement, 0, "n", math.MaxUint64, 5, ExpiryNoCreate)
		},
		want: "80060001 14000000 00000015 00000000 0000000000000000" +
			"ffffffffffffffff 0000000000000005 ffffffff 'n'",
	},
	{
		name:   "prependq",
		encode: func(dst []byte) []byte { return AppendConcat(dst, OpPrependQ, 2, "k", 2) },
		want:   "801a0001 00000000 00000003 00000002 0000000000000000 'kab'",
		value:  "ab",
	},
	{
		name:   "touch",
		encode: func(dst []byte) []byte { return AppendTouch(dst, OpTouch, 3, "k", 60) },
		want:   "801c0001 04000000 00000005 00000003 0000000000000000 0000003c 'k'",
	},
	{
		name:   "gatkq",
		encode: func(dst []byte) []byte { return AppendTouch(dst, OpGATKQ, 3, "k", 0) },
		want:   "80240001 04000000 00000005 00000003 0000000000000000 00000000 'k'",
	},
	{
		name:   "flush at once",
		encode: func(dst []byte) []byte { return AppendFlush(dst, OpFlushQ, 0, 0) },
		want:   "80180000 00000000 00000000 00000000 0000000000000000",
	},
	{
		name:   "sasl list",
		encode: func(dst []byte) []byte { return AppendSimple(dst, OpSASLList, 0) },
		want:   "80200000 00000000 00000000 00000000 0000000000000000",
	},
	{
		name: "sasl auth",
		encode: func(dst []byte) []byte {
			return AppendSASL(dst, OpSASLAuth, 0, "PLAIN", []byte("\x00user\x00pass"))
		},
		want: "80210005 00000000 0000000f 00000000 0000000000000000 'PLAIN' 00'user'00'pass'",
	},
	{
		name:   "sasl step without data",
		encode: func(dst []byte) []byte { return AppendSASL(dst, OpSASLStep, 0, "SCRAM-SHA-256", nil) },
		want:   "8022000d 00000000 0000000d 00000000 0000000000000000 'SCRAM-SHA-256'",
	},
}

func TestRequests_AreTheBytesOfTheProtocol(t *testing.T) {
	for _, test := range requests {
		t.Run(test.name, func(t *testing.T) {
			want := unhex(t, test.want)
			got := append(test.encode([]byte("before")), test.value...)
			if !bytes.Equal(got, append([]byte("before"), want...)) {
				t.Errorf("encoded\n% x, want\n% x", got, want)
			}
		})
	}
}

func TestRequests_DecodeToWhatWasEncoded(t *testing.T) {
	for _, test := range requests {
		t.Run(test.name, func(t *testing.T) {
			b := append(test.encode(nil), test.value...)
			var h Header
			h.Decode(b)
			if len(b) < HeaderLen+int(h.BodyLen) {
				return // the value is still to come
			}
			var f Frame
			n, err := f.Parse(b, MagicRequest, 1<<20)
			if err != nil || n != len(b) {
				t.Fatalf("Parse = %d, %v, want %d", n, err, len(b))
			}
			if string(f.Value) != test.value && f.Opcode != OpSASLAuth {
				t.Errorf("value %q, want %q", f.Value, test.value)
			}
			again := AppendHeader(nil, &f.Header)
			again = append(append(append(again, f.Extras...), f.Key...), f.Value...)
			if !bytes.Equal(again, b) {
				t.Errorf("encoded again\n% x, want\n% x", again, b)
			}
		})
	}
}

func TestDecodeExtras(t *testing.T) {
	store := AppendStore(nil, OpSet, 0, "k", 0, 0xdeadbeef, 7200, 0)[HeaderLen:]
	if flags, expiry := DecodeStoreExtras(store); flags != 0xdeadbeef || expiry != 7200 {
		t.Errorf("DecodeStoreExtras = %#x, %d, want 0xdeadbeef, 7200", flags, expiry)
	}
	counter := AppendCounter(nil, OpIncrement, 0, "n", 1<<63, 1<<62, ExpiryNoCreate)[HeaderLen:]
	if delta, initial, expiry := DecodeCounterExtras(counter); delta != 1<<63 || initial != 1<<62 || expiry != ExpiryNoCreate {
		t.Errorf("DecodeCounterExtras = %d, %d, %#x, want 2^63, 2^62, %#x", delta, initial, expiry, ExpiryNoCreate)
	}
}

// The responses of the protocol's description. That of GETK is printed there
// with the opcode and the length of the GET before it; the fields beside the
// figure have the right length.
var responses = []struct {
	name               string
	header             Header
	extras, key, value string
	want               string
}{
	{
		name:   "found",
		header: Header{Opcode: OpGet, CAS: 1}, extras: "\xde\xad\xbe\xef", value: "World",
		want: "81000000 04000000 00000009 00000000 0000000000000001 deadbeef 'World'",
	},
	{
		name:   "found with its key",
		header: Header{Opcode: OpGetK, CAS: 1}, extras: "\xde\xad\xbe\xef", key: "Hello", value: "World",
		want: "810c0005 04000000 0000000e 00000000 0000000000000001 deadbeef 'HelloWorld'",
	},
	{
		name:   "not found",
		header: Header{Opcode: OpGet, Status: StatusKeyNotFound}, value: "Not found",
		want: "81000000 00000001 00000009 00000000 0000000000000000 'Not found'",
	},
	{
		name:   "added",
		header: Header{Opcode: OpAdd, CAS: 1},
		want:   "81020000 00000000 00000000 00000000 0000000000000001",
	},
	{
		name:   "incremented",
		header: Header{Opcode: OpIncrement, CAS: 5}, value: "\x00\x00\x00\x00\x00\x00\x00\x00",
		want: "81050000 00000000 00000008 00000000 0000000000000005 0000000000000000",
	},
	{
		name:   "version",
		header: Header{Opcode: OpVersion}, value: "1.3.1",
		want: "810b0000 00000000 00000005 00000000 0000000000000000 '1.3.1'",
	},
	{
		name:   "statistic",
		header: Header{Opcode: OpStat}, key: "pid", value: "3078",
		want: "81100003 00000000 00000007 00000000 0000000000000000 'pid3078'",
	},
	{
		name:   "every field of the header",
		header: Header{Opcode: OpSASLStep, Status: StatusAuthContinue, Opaque: 0x0a0b0c0d, CAS: 0x0102030405060708},
		want:   "81220000 00000021 00000000 0a0b0c0d 0102030405060708",
	},
}

func TestResponses_AreTheBytesOfTheProtocol(t *testing.T) {
	for _, test := range responses {
		t.Run(test.name, func(t *testing.T) {
			want := unhex(t, test.want)
			got := AppendResponse(nil, test.header, []byte(test.extras), []byte(test.key), []byte(test.value))
			if !bytes.Equal(got, want) {
				t.Errorf("encoded\n% x, want\n% x", got, want)
			}
			var f Frame
			n, err := f.Parse(want, MagicResponse, 100)
			if err != nil || n != len(want) {
				t.Fatalf("Parse = %d, %v, want %d", n, err, len(want))
			}
			if f.Opcode != test.header.Opcode || f.Status != test.header.Status ||
				f.Opaque != test.header.Opaque || f.CAS != test.header.CAS {
				t.Errorf("header %+v, want %+v", f.Header, test.header)
			}
			if string(f.Extras) != test.extras || string(f.Key) != test.key || string(f.Value) != test.value {
				t.Errorf("parts %q %q %q, want %q %q %q", f.Extras, f.Key, f.Value, test.extras, test.key, test.value)
			}
		})
	}
}

func TestEncoders_AllocateNothingWithRoom(t *testing.T) {
	buf := make([]byte, 0, 1024)
	for _, test := range requests {
		if n := testing.AllocsPerRun(100, func() { buf = test.encode(buf[:0]) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", test.name, n)
		}
	}
	value := make([]byte, 100)
	if n := testing.AllocsPerRun(100, func() {
		buf = AppendResponse(buf[:0], Header{Opcode: OpGet}, value[:4], value[:10], value)
	}); n != 0 {
		t.Errorf("AppendResponse: %v allocations, want 0", n)
	}
}
