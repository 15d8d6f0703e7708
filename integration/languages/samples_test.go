package languages_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// A sample is a value in Go and in another language.
type sample struct {
	name   string
	ours   any
	theirs value

	read     any   // what this client reads into an any, where that is not ours
	back     value // what the other reads, where that is not theirs
	oneWay   bool  // this client does not write it
	anyFlags bool  // each writes it with flags of its own, which the other understands
}

// large is the size of a value that every client compresses which does so.
const large = 200 << 10

// noise does not compress.
func noise(n int) []byte {
	random := rand.NewChaCha8([32]byte{1})
	b := make([]byte, n)
	random.Read(b)
	b[0] = 0xff // not UTF-8
	return b
}

func texts() []sample {
	var list []sample
	for name, s := range map[string]string{
		"empty text": "", "text": "héllo wörld", "digits": "42", "unicode": "日本語 🐘 \u0000 é",
		"large text": strings.Repeat("héllo wörld ", large/14),
	} {
		list = append(list, sample{name: name, ours: s, theirs: textOf(s)})
	}
	return list
}

func binaries() []sample {
	var all []byte
	for i := range 256 {
		all = append(all, byte(i))
	}
	var list []sample
	for name, b := range map[string][]byte{
		"empty bytes": {}, "bytes": []byte("\x00\x01\xff raw"), "all bytes": all,
		"large bytes": []byte(strings.Repeat("\xff\x00\x01", large/3)), "noise": noise(large),
	} {
		list = append(list, sample{name: name, ours: b, theirs: bytesOf(b)})
	}
	return list
}

func integers() []sample {
	return []sample{
		{name: "zero", ours: int64(0), theirs: intOf(0)},
		{name: "int", ours: int64(42), theirs: intOf(42)},
		{name: "negative int", ours: int64(-7), theirs: intOf(-7)},
		{name: "two bytes", ours: int64(0x1234), theirs: intOf(0x1234)},
		{name: "largest int", ours: int64(math.MaxInt64), theirs: intOf(math.MaxInt64)},
		{name: "smallest int", ours: int64(math.MinInt64), theirs: intOf(math.MinInt64)},
	}
}

func bigIntegers() []sample {
	huge := new(big.Int).Lsh(big.NewInt(-3), 100)
	return []sample{
		{name: "above 63 bits", ours: uint64(math.MaxUint64), theirs: intOf(uint64(math.MaxUint64))},
		{name: "huge int", ours: huge, theirs: intOf(huge)},
	}
}

func floats() []sample {
	return []sample{
		{name: "float", ours: 3.5, theirs: floatOf(3.5)},
		{name: "third", ours: 1.0 / 3, theirs: floatOf(1.0 / 3)},
		{name: "large float", ours: -1e100, theirs: floatOf(-1e100)},
		{name: "small float", ours: 5e-324, theirs: floatOf(5e-324)},
		{name: "long float", ours: 123456789.0625, theirs: floatOf(123456789.0625)},
		{name: "float of 21 digits", ours: 1e21, theirs: floatOf(1e21)},
	}
}

// wholeFloats stay floats where floats are more than digits.
func wholeFloats() []sample {
	return []sample{
		{name: "whole float", ours: 3.0, theirs: floatOf(3)},
		{name: "zero float", ours: 0.0, theirs: floatOf(0)},
	}
}

func booleans() []sample {
	return []sample{
		{name: "true", ours: true, theirs: boolOf(true)},
		{name: "false", ours: false, theirs: boolOf(false)},
	}
}

func compound() []sample {
	return []sample{
		{name: "null", ours: nil, theirs: null},
		{
			name:   "list",
			ours:   []any{int64(1), "two", 3.5, nil, []any{true}},
			theirs: listOf(intOf(1), textOf("two"), floatOf(3.5), null, listOf(boolOf(true))),
		},
		{
			name:   "map",
			ours:   map[string]any{"a": map[string]any{"b": int64(1)}},
			theirs: mapOf("a", mapOf("b", intOf(1))),
		},
	}
}

// javaTypes are those that Java tells apart and others do not.
func javaTypes() []sample {
	at := time.UnixMilli(1_700_000_000_123).UTC()
	return []sample{
		{name: "Integer", ours: int32(-70000), theirs: value{"int32", "-70000"}},
		{name: "Byte", ours: int8(-5), theirs: value{"int8", "-5"}},
		{name: "Float", ours: float32(0.25), theirs: value{"float32", 0.25}},
		{name: "Date", ours: at, theirs: value{"date", "1700000000123"}},
	}
}

// javaTexts are large texts that spymemcached leaves uncompressed because they
// look like JSON, and one that it does not.
func javaTexts() (list []sample) {
	for name, s := range map[string]string{
		"large object": `{"a":"` + strings.Repeat("a", large) + `"}`,
		"large array":  "[" + strings.Repeat("1,", large/2) + "1]",
		"large number": "-" + strings.Repeat("7", large),
		"large string": `"` + strings.Repeat("a", large) + `"`,
	} {
		list = append(list, sample{name: name, ours: s, theirs: textOf(s)})
	}
	return list
}

// safeIntegers are those that JavaScript holds exactly.
func safeIntegers() []sample {
	return []sample{
		{name: "zero", ours: int64(0), theirs: intOf(0)},
		{name: "int", ours: int64(42), theirs: intOf(42)},
		{name: "negative int", ours: int64(-7), theirs: intOf(-7)},
		{name: "largest safe int", ours: int64(1<<53 - 1), theirs: intOf(1<<53 - 1)},
	}
}

// javaScript are lists and maps in a language whose numbers are all alike.
func javaScript() []sample {
	return []sample{
		{name: "null", ours: nil, theirs: null},
		{name: "list", ours: []any{1.0, "two", 3.5, nil, []any{true}}, theirs: listOf(intOf(1), textOf("two"), floatOf(3.5), null, listOf(boolOf(true)))},
		{name: "map", ours: map[string]any{"a": map[string]any{"b": 1.0}}, theirs: mapOf("a", mapOf("b", intOf(1)))},
		{name: "line ends", ours: "a\r\nb\nc\\\n", theirs: textOf("a\r\nb\nc\\\n")},
	}
}

// around returns text on both sides of the size from which a client compresses.
func around(sizes ...int) (list []sample) {
	for _, n := range sizes {
		s := strings.Repeat("a", n)
		list = append(list, sample{name: "text of " + intOf(n).Value.(string), ours: s, theirs: textOf(s)})
	}
	return list
}

func join(lists ...[]sample) (all []sample) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// anyFlags is samples that each client writes in a way of its own.
func anyFlags(list []sample) []sample {
	for i := range list {
		list[i].anyFlags = true
	}
	return list
}

// but is samples of which one is different.
func but(list []sample, name string, change func(s *sample)) []sample {
	for i := range list {
		if list[i].name == name {
			change(&list[i])
		}
	}
	return list
}

// without is samples without one.
func without(name string, list []sample) []sample {
	return slices.DeleteFunc(list, func(s sample) bool { return s.name == name })
}

// untyped is binaries in a language whose strings have no encoding: what is UTF-8
// is text there.
func untyped(list []sample) []sample {
	for i := range list {
		list[i].read = string(list[i].ours.([]byte))
		if len(list[i].ours.([]byte)) == 0 {
			list[i].theirs = textOf("")
		}
	}
	return list
}
