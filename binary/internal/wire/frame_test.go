package wire

import (
	"bytes"
	"errors"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

func TestParse_WaitsForTheWholeFrame(t *testing.T) {
	b := AppendResponse(nil, Header{Opcode: OpGet}, []byte("1234"), []byte("key"), []byte("value"))
	var f Frame
	for i := range b {
		if n, err := f.Parse(b[:i], MagicResponse, 100); n != 0 || err != nil {
			t.Errorf("Parse of %d of %d bytes = %d, %v, want 0", i, len(b), n, err)
		}
	}
	if n, err := f.Parse(append(b, "more"...), MagicResponse, 100); n != len(b) || err != nil {
		t.Errorf("Parse = %d, %v, want %d", n, err, len(b))
	}
	if cap(f.Extras) != 4 || cap(f.Key) != 3 || cap(f.Value) != 5 {
		t.Error("appending to a part would write over what follows it")
	}
}

// brokenFrames are headers that Check refuses for a body of up to 100 bytes.
var brokenFrames = []struct{ name, frame, want string }{
	{"request where a response is due", "80000000 00000000 00000000 00000000 0000000000000000", "magic 0x80"},
	{"text", "'ERROR Too many open connections'", "magic 0x45"},
	{"body above the limit", "81000000 00000000 00000065 00000000 0000000000000000", "101 bytes"},
	{"body of 4 GiB", "81000000 00000000 ffffffff 00000000 0000000000000000", "4294967295 bytes"},
	{"key longer than the body", "81000002 00000000 00000001 00000000 0000000000000000", "2 bytes of key and extras"},
	{"extras longer than the body", "81000000 ff000000 000000fe00000000 0000000000000000", "limit"},
	{"key and extras longer than the body", "81000003 04000000 00000006 00000000 0000000000000000", "7 bytes of key and extras"},
}

func TestBrokenFrames_AreRefused(t *testing.T) {
	for _, test := range brokenFrames {
		t.Run(test.name, func(t *testing.T) {
			b := unhex(t, test.frame)
			var f Frame
			n, err := f.Parse(b, MagicResponse, 100)
			if n != 0 || !errors.Is(err, ErrFrame) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Parse = %d, %v, want ErrFrame that mentions %q", n, err, test.want)
			}
			if _, err := f.Read(bytes.NewReader(b), nil, MagicResponse, 100); !errors.Is(err, ErrFrame) {
				t.Errorf("Read = %v, want ErrFrame", err)
			}
		})
	}
}

func TestRead_ReadsFramesInTurn(t *testing.T) {
	var stream []byte
	values := []string{"", "short", strings.Repeat("long", 100_000), "short again"}
	for _, value := range values {
		stream = AppendResponse(stream, Header{Opcode: OpGetK}, []byte("1234"), []byte("key"), []byte(value))
	}
	for name, r := range map[string]io.Reader{
		"whole":          bytes.NewReader(stream),
		"byte by byte":   iotest.OneByteReader(bytes.NewReader(stream)),
		"EOF comes late": iotest.DataErrReader(bytes.NewReader(stream)),
	} {
		t.Run(name, func(t *testing.T) {
			var buf []byte
			var err error
			for i, want := range values {
				var f Frame
				if buf, err = f.Read(r, buf, MagicResponse, 1<<20); err != nil {
					t.Fatalf("Read of frame %d = %v", i, err)
				}
				if string(f.Extras) != "1234" || string(f.Key) != "key" || string(f.Value) != want {
					t.Errorf("frame %d has parts %q %q and %d bytes, want 1234, key and %d bytes",
						i, f.Extras, f.Key, len(f.Value), len(want))
				}
			}
			var f Frame
			if _, err := f.Read(r, buf, MagicResponse, 1<<20); err != io.EOF {
				t.Errorf("Read at the end = %v, want %v", err, io.EOF)
			}
		})
	}
}

func TestRead_SaysThatAFrameWasCutShort(t *testing.T) {
	b := AppendResponse(nil, Header{Opcode: OpGet}, nil, nil, []byte("value"))
	for i := 1; i < len(b); i++ {
		var f Frame
		if _, err := f.Read(bytes.NewReader(b[:i]), nil, MagicResponse, 100); err != io.ErrUnexpectedEOF {
			t.Errorf("Read of %d of %d bytes = %v, want %v", i, len(b), err, io.ErrUnexpectedEOF)
		}
	}
}

func TestRead_ALengthAloneCostsNoMemory(t *testing.T) {
	huge := Header{Magic: MagicResponse, Opcode: OpGet, BodyLen: min(math.MaxInt, math.MaxUint32)}
	stream := append(AppendHeader(nil, &huge), make([]byte, 100_000)...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var f Frame
	_, err := f.Read(bytes.NewReader(stream), nil, MagicResponse, math.MaxInt)
	runtime.ReadMemStats(&after)
	if err != io.ErrUnexpectedEOF {
		t.Errorf("Read = %v, want %v", err, io.ErrUnexpectedEOF)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("a frame of 2 GiB or more of which 100 kB came took %d bytes of memory, want less than 1 MiB", got)
	}
}

func TestRead_UsesTheBufferItGets(t *testing.T) {
	b := AppendResponse(nil, Header{Opcode: OpGet}, nil, nil, make([]byte, 1000))
	r := bytes.NewReader(b)
	buf := make([]byte, 0, 2000)
	var f Frame
	if n := testing.AllocsPerRun(100, func() {
		r.Reset(b)
		var err error
		if buf, err = f.Read(r, buf, MagicResponse, 1000); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Read into room: %v allocations, want 0", n)
	}
}

func TestHeader_ValueLen(t *testing.T) {
	h := Header{KeyLen: 3, ExtrasLen: 4, BodyLen: 12}
	if got := h.ValueLen(); got != 5 {
		t.Errorf("ValueLen() = %d, want 5", got)
	}
}
