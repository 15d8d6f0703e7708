package memcachedtest

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// arguments are the parts of a request in a transcript, by name.
type arguments map[string]string

// arguments reads "a=1 b="text" c="x"*100"; versions by name and times that
// start with now become numbers.
func (p *player) arguments(s string) arguments {
	args := arguments{}
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		name, rest, ok := strings.Cut(s, "=")
		if !ok {
			p.t.Fatalf("no value in %q", s)
		}
		var value string
		if quoted, err := strconv.QuotedPrefix(rest); err == nil {
			value, _ = strconv.Unquote(quoted)
			s = rest[len(quoted):]
			if times, ok := strings.CutPrefix(s, "*"); ok {
				times, s, _ = strings.Cut(times, " ")
				n, err := strconv.Atoi(times)
				if err != nil {
					p.t.Fatal(err)
				}
				value = strings.Repeat(value, n)
			}
		} else {
			value, s, _ = strings.Cut(rest, " ")
		}
		switch after, isTime := strings.CutPrefix(value, "now"); {
		case name == "cas" && p.cas[value] != 0:
			value = fmt.Sprint(p.cas[value])
		case isTime && name == "expiry":
			d, err := time.ParseDuration(after)
			if err != nil {
				p.t.Fatal(err)
			}
			value = fmt.Sprint(p.now().Add(d).Unix())
		}
		args[name] = value
	}
	return args
}

// number returns the number of that name, or otherwise.
func (a arguments) number(name string, otherwise uint64) uint64 {
	s, ok := a[name]
	if !ok {
		return otherwise
	}
	n, err := strconv.ParseUint(s, 0, 64)
	if err != nil {
		panic(err)
	}
	return n
}

// extras builds the extras of the opcode, unless they are given as such.
func (a arguments) extras(op wire.Opcode) []byte {
	if s, ok := a["extras"]; ok {
		b, err := hex.DecodeString(s)
		if err != nil {
			panic(err)
		}
		return b
	}
	expiry := uint32(a.number("expiry", 0))
	switch op.Loud() {
	case wire.OpSet, wire.OpAdd, wire.OpReplace:
		b := binary.BigEndian.AppendUint32(nil, uint32(a.number("flags", 0)))
		return binary.BigEndian.AppendUint32(b, expiry)
	case wire.OpIncrement, wire.OpDecrement:
		b := binary.BigEndian.AppendUint64(nil, a.number("delta", 1))
		b = binary.BigEndian.AppendUint64(b, a.number("initial", 0))
		return binary.BigEndian.AppendUint32(b, uint32(a.number("expiry", math.MaxUint32)))
	case wire.OpTouch, wire.OpGAT, wire.OpGATK:
		return binary.BigEndian.AppendUint32(nil, expiry)
	case wire.OpFlush:
		if _, ok := a["expiry"]; ok {
			return binary.BigEndian.AppendUint32(nil, expiry)
		}
	}
	return nil
}
