package memcachedtest

import (
	"bytes"
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// The files of testdata/transcripts are conversations with memcached 1.6.18.
// Lines that start with
//
//	>  are requests: an opcode and the parts of the frame
//	<  are what was answered up to the next request
//	=  are commands: "sleep 2s", "connect", and "options -C", which stands first
//
// The answers were recorded from the real server and can be checked against it
// again:
//
//	go test ./binary/memcachedtest -run Transcripts -memcached "$(command -v memcached)"
//
// With -record as well, the answers are written into the files.
var (
	realServer = flag.String("memcached", "", "test this memcached instead of the package's server")
	record     = flag.Bool("record", false, "write what -memcached answers into the transcripts")
)

func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/transcripts/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			if *realServer != "" {
				t.Parallel()
				checkTranscript(t, file)
				return
			}
			synctest.Test(t, func(t *testing.T) { checkTranscript(t, file) })
		})
	}
}

func checkTranscript(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := &player{t: t, cas: map[string]uint64{}}
	p.play(string(text))
	if got := p.heard.String(); got != string(text) {
		if *record {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		t.Errorf("%s: the conversation differs:\n%s", file, firstDifference(got, string(text)))
	}
}

// firstDifference shows where two texts part.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			before := strings.Join(g[max(0, i-4):i], "\n")
			return fmt.Sprintf("%s\ngot:\n%s\nwant:\n%s", before,
				strings.Join(g[i:min(i+6, len(g))], "\n"), strings.Join(w[min(i, len(w)):min(i+6, len(w))], "\n"))
		}
	}
	return "the answers end early"
}

// player carries a conversation on.
type player struct {
	t       testing.TB
	dial    func() net.Conn
	sleep   func(time.Duration)
	now     func() time.Time
	nc      net.Conn
	pending []byte            // requests not sent yet
	cas     map[string]uint64 // versions by name, in the order in which they turned up
	heard   bytes.Buffer
}

func (p *player) play(text string) {
	first, _, _ := strings.Cut(text, "\n")
	options, ok := strings.CutPrefix(first, "= options ")
	if !ok {
		options = ""
	}
	p.start(strings.Fields(options))
	p.nc = p.dial()
	defer func() { p.nc.Close() }()
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "<"):
			p.exchange()
			continue
		case strings.HasPrefix(line, ">"):
			if strings.Contains(line, " cas=c") {
				p.exchange() // the version may be in an answer still to come
			}
			p.pending = append(p.pending, p.request(line[1:])...)
		case strings.HasPrefix(line, "= connect"):
			p.exchange()
			p.nc.Close()
			p.nc = p.dial()
		case strings.HasPrefix(line, "= sleep "):
			p.exchange()
			d, err := time.ParseDuration(strings.TrimSpace(line[len("= sleep "):]))
			if err != nil {
				p.t.Fatal(err)
			}
			p.sleep(d)
		default:
			p.exchange()
		}
		p.heard.WriteString(line)
	}
	p.exchange()
}

// start makes the server that the options describe.
func (p *player) start(options []string) {
	if *realServer != "" {
		p.startReal(options)
		return
	}
	s := Start(p.t, optionsOf(p.t, options))
	p.dial = func() net.Conn {
		nc, err := s.DialContext(context.Background(), "", "")
		if err != nil {
			p.t.Fatal(err)
		}
		return nc
	}
	p.sleep, p.now = s.Advance, s.clock.time
}

// lastOpaque marks the VERSION request that is sent after each group of
// requests: its answer is where theirs end.
const lastOpaque = 0xfefefefe

// exchange sends what is pending and writes down what is answered.
func (p *player) exchange() {
	if len(p.pending) == 0 {
		return
	}
	request := wire.AppendSimple(p.pending, wire.OpVersion, lastOpaque)
	p.pending = nil
	go p.nc.Write(request) // a closed connection shows when reading
	var f wire.Frame
	for {
		p.nc.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := f.Read(p.nc, nil, wire.MagicResponse, 4<<20); err != nil {
			if os.IsTimeout(err) {
				p.t.Fatalf("no answer after:\n%s", p.heard.String())
			}
			p.heard.WriteString("< connection closed\n")
			return
		}
		if f.Opaque == lastOpaque {
			return
		}
		p.writeDown(&f)
	}
}

func (p *player) writeDown(f *wire.Frame) {
	fmt.Fprintf(&p.heard, "< %v", f.Opcode)
	if f.Status != wire.StatusOK {
		fmt.Fprintf(&p.heard, " 0x%02x", uint16(f.Status))
	}
	if f.Opaque != 0 {
		fmt.Fprintf(&p.heard, " opaque=%d", f.Opaque)
	}
	if f.CAS != 0 {
		fmt.Fprintf(&p.heard, " cas=%s", p.casName(f.CAS))
	}
	for _, part := range []struct {
		name string
		b    []byte
		show func([]byte) string
	}{{"extras", f.Extras, hex.EncodeToString}, {"key", f.Key, brief}, {"value", f.Value, brief}} {
		if len(part.b) > 0 {
			fmt.Fprintf(&p.heard, " %s=%s", part.name, part.show(part.b))
		}
	}
	p.heard.WriteByte('\n')
}

func (p *player) casName(cas uint64) string {
	for name, known := range p.cas {
		if known == cas {
			return name
		}
	}
	name := fmt.Sprintf("c%d", len(p.cas)+1)
	p.cas[name] = cas
	return name
}

// brief quotes b, or says what it repeats.
func brief(b []byte) string {
	if n := len(b); n > 100 && bytes.Count(b, b[:1]) == n {
		return fmt.Sprintf("%q*%d", b[:1], n)
	}
	return strconv.Quote(string(b))
}

// request encodes a line such as
//
//	SET key="a" flags=5 expiry=60 cas=c1 value="x"*100
//	INCREMENT key="n" delta=1 initial=0 expiry=0
//	frame opcode=0x1b extras=00000000 key="a" keylen=4 bodylen=9
//	bytes 0a0b
func (p *player) request(line string) []byte {
	op, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	if op == "bytes" {
		b, err := hex.DecodeString(strings.ReplaceAll(rest, " ", ""))
		if err != nil {
			p.t.Fatal(err)
		}
		return b
	}
	if strings.HasPrefix(rest, "LIST") || strings.HasPrefix(rest, "AUTH") || strings.HasPrefix(rest, "STEP") {
		op, rest = op+" "+rest[:4], rest[4:]
	}
	args := p.arguments(rest)
	h := wire.Header{
		Magic: wire.Magic(args.number("magic", uint64(wire.MagicRequest))), Opcode: p.opcode(op, args),
		Opaque: uint32(args.number("opaque", 0)), CAS: args.number("cas", 0),
	}
	extras := args.extras(h.Opcode)
	key, value := args["key"], args["value"]
	h.KeyLen = uint16(args.number("keylen", uint64(len(key))))
	h.ExtrasLen = uint8(args.number("extraslen", uint64(len(extras))))
	h.BodyLen = uint32(args.number("bodylen", uint64(len(extras)+len(key)+len(value))))
	b := wire.AppendHeader(nil, &h)
	return append(append(append(b, extras...), key...), value...)
}

func (p *player) opcode(name string, args arguments) wire.Opcode {
	if name == "frame" {
		return wire.Opcode(args.number("opcode", 0))
	}
	for op := range wire.Opcode(0x40) {
		if op.String() == name {
			return op
		}
	}
	p.t.Fatalf("unknown opcode %q", name)
	return 0
}
