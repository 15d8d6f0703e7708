package wire

import (
	"bytes"
	"errors"
	"testing"
	"testing/iotest"
)

// seed adds the frames of the tables, whole and broken.
func seed(f *testing.F) {
	for _, test := range requests {
		f.Add(append(test.encode(nil), test.value...))
	}
	for _, test := range responses {
		f.Add(unhex(f, test.want))
	}
	for _, test := range brokenFrames {
		f.Add(unhex(f, test.frame))
	}
}

// FuzzParse: whatever comes, Parse neither panics nor reads beyond it, and what
// it takes is what encoding the parts gives.
func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, magic := range []Magic{MagicRequest, MagicResponse} {
			const maxBody = 1000
			var frame Frame
			n, err := frame.Parse(b, magic, maxBody)
			switch {
			case err != nil && (n != 0 || !errors.Is(err, ErrFrame)):
				t.Fatalf("Parse = %d, %v, want 0 and ErrFrame", n, err)
			case n > len(b) || n > HeaderLen+maxBody:
				t.Fatalf("Parse took %d of %d bytes, with a limit of %d", n, len(b), maxBody)
			case n == 0:
				continue
			}
			again := AppendHeader(nil, &frame.Header)
			again = append(append(append(again, frame.Extras...), frame.Key...), frame.Value...)
			if !bytes.Equal(again, b[:n]) {
				t.Fatalf("encoded again\n% x, want\n% x", again, b[:n])
			}
			if len(frame.Value) != frame.ValueLen() {
				t.Fatalf("ValueLen() = %d, want %d", frame.ValueLen(), len(frame.Value))
			}
		}
	})
}

// FuzzRead: Read takes the same frames from a stream as Parse from memory,
// however the bytes arrive.
func FuzzRead(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		const maxBody = 1000
		r := iotest.HalfReader(bytes.NewReader(b))
		var buf []byte
		for {
			var parsed, read Frame
			n, parseErr := parsed.Parse(b, MagicResponse, maxBody)
			var err error
			buf, err = read.Read(r, buf, MagicResponse, maxBody)
			if n == 0 {
				if err == nil || errors.Is(parseErr, ErrFrame) != errors.Is(err, ErrFrame) {
					t.Fatalf("Read = %v where Parse = %d, %v", err, n, parseErr)
				}
				return
			}
			if err != nil || read.Header != parsed.Header || !bytes.Equal(read.Extras, parsed.Extras) ||
				!bytes.Equal(read.Key, parsed.Key) || !bytes.Equal(read.Value, parsed.Value) {
				t.Fatalf("Read = %+v, %v, want %+v", read, err, parsed)
			}
			b = b[n:]
		}
	})
}

// FuzzHeader: decoding a header loses nothing.
func FuzzHeader(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < HeaderLen {
			return
		}
		var h Header
		h.Decode(b)
		if again := AppendHeader(nil, &h); !bytes.Equal(again, b[:HeaderLen]) {
			t.Fatalf("encoded again\n% x, want\n% x", again, b[:HeaderLen])
		}
	})
}

// FuzzRequest: a server reads what a client wrote.
func FuzzRequest(f *testing.F) {
	f.Add(uint8(OpSet), uint32(1), uint64(2), "key", []byte("value"), uint32(3), uint32(4), uint64(5), uint64(6))
	f.Fuzz(func(t *testing.T, code uint8, opaque uint32, cas uint64, key string, value []byte, flags, expiry uint32, delta, initial uint64) {
		op := Opcode(code)
		if len(key) > MaxKeyLen || len(value) > 1000 {
			return
		}
		for kind, b := range map[string][]byte{
			"store":   append(AppendStore(nil, op, opaque, key, len(value), flags, expiry, cas), value...),
			"concat":  append(AppendConcat(nil, op, opaque, key, len(value)), value...),
			"sasl":    AppendSASL(nil, op, opaque, key, value),
			"counter": AppendCounter(nil, op, opaque, key, delta, initial, expiry),
			"touch":   AppendTouch(nil, op, opaque, key, expiry),
			"delete":  AppendDelete(nil, op, opaque, key, cas),
			"key":     AppendKey(nil, op, opaque, key),
		} {
			var frame Frame
			n, err := frame.Parse(b, MagicRequest, 2000)
			if err != nil || n != len(b) {
				t.Fatalf("%s: Parse = %d, %v, want %d", kind, n, err, len(b))
			}
			if frame.Opcode != op || frame.Opaque != opaque || string(frame.Key) != key {
				t.Fatalf("%s: %v %d %q, want %v %d %q", kind, frame.Opcode, frame.Opaque, frame.Key, op, opaque, key)
			}
			switch kind {
			case "store":
				gotFlags, gotExpiry := DecodeStoreExtras(frame.Extras)
				if gotFlags != flags || gotExpiry != expiry || frame.CAS != cas || !bytes.Equal(frame.Value, value) {
					t.Fatalf("store: %d %d %d %q, want %d %d %d %q", gotFlags, gotExpiry, frame.CAS, frame.Value, flags, expiry, cas, value)
				}
			case "counter":
				gotDelta, gotInitial, gotExpiry := DecodeCounterExtras(frame.Extras)
				if gotDelta != delta || gotInitial != initial || gotExpiry != expiry {
					t.Fatalf("counter: %d %d %d, want %d %d %d", gotDelta, gotInitial, gotExpiry, delta, initial, expiry)
				}
			}
		}
	})
}
