package languages_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	memcached "github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/bmemcached"
	"github.com/bmemcached/bmemcached-go/binary/codec/dalli"
	"github.com/bmemcached/bmemcached-go/binary/codec/phpmemcached"
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

// values is every language, in each way in which it stores values, with what it
// can store that is data.
func values() []struct {
	language
	samples []sample
} {
	// Dalli compresses even what does not become smaller.
	rubyBinaries := func() []sample { return but(binaries(), "noise", func(s *sample) { s.anyFlags = true }) }
	phpStrings := func() []sample { return untyped(binaries()) }
	return []struct {
		language
		samples []sample
	}{
		{python, join(texts(), binaries(), integers(), bigIntegers(), around(128, 129))},
		{pylibmc, join(texts(), binaries(), integers(), bigIntegers(), []sample{
			{name: "true", ours: true, theirs: boolOf(true), read: int64(1), back: intOf(1)}, // as pylibmc reads its own
			{name: "false", ours: false, theirs: boolOf(false), read: int64(0), back: intOf(0)},
		})},
		{
			pylibmc.with("compressing", args{"min_compress_len": 400}, bmemcached.Pylibmc{CompressAbove: 399}),
			join(texts(), binaries(), integers(), around(399, 400, 401)),
		},
		{pymemcache, join(texts(), binaries(), anyFlags(integers()), anyFlags(bigIntegers()))},
		{ruby, join(texts(), rubyBinaries(), integers(), bigIntegers(), floats(), booleans(), compound(), around(4085, 4086, 4087, 4088), []sample{
			{name: "symbol", ours: "abc", theirs: value{"symbol", "abc"}, oneWay: true},
		})},
		{
			ruby.with("JSON", args{"serializer": "JSON"}, dalli.Codec{Serializer: dalli.JSON}),
			join(texts(), floats(), booleans()),
		},
		{ruby.with("gzip", args{"compressor": "Dalli::GzipCompressor"}, dalli.Codec{Gzip: true}), join(texts(), rubyBinaries())},
		{
			ruby.with("raw", args{"raw": true}, dalli.Codec{Serializer: dalli.Raw}),
			but(rubyBinaries(), "empty bytes", func(s *sample) { s.back = textOf("") }), // Ruby's encoding of ""
		},
		{java, join(texts(), binaries(), integers(), floats(), booleans(), javaTypes(), javaTexts(), around(16384, 16385))},
		{php, join(anyFlags(texts()), anyFlags(phpStrings()), integers(), floats(), booleans(), compound())},
		{
			php.with("zlib, JSON", args{"OPT_COMPRESSION_TYPE": "COMPRESSION_ZLIB", "OPT_SERIALIZER": "SERIALIZER_JSON_ARRAY"}, phpmemcached.Codec{Serializer: phpmemcached.JSON}),
			join(texts(), phpStrings(), integers(), floats(), booleans(), around(1999, 2000, 2001)),
		},
		{php.with("not compressing", args{"OPT_COMPRESSION": false}, phpmemcached.Codec{CompressAbove: -1}), join(texts(), phpStrings())},
		{php.with("user flags", args{"OPT_USER_FLAGS": 0x1234}, phpmemcached.Codec{UserFlags: 0x1234}), join(integers(), booleans(), compound())},
		{tools, binaries()},
	}
}

// TestValues has each client write what the other reads, with its type.
func TestValues(t *testing.T) {
	samples := map[string][]sample{}
	var some []language
	for _, v := range values() {
		some, samples[v.name] = append(some, v.language), v.samples
	}
	each(t, some, func(t *testing.T, p pair) {
		for _, s := range samples[p.name] {
			t.Run(s.name, func(t *testing.T) { p.exchange(t, s) })
		}
	})
}

// exchange sends a value in both directions.
func (p pair) exchange(t *testing.T, s sample) {
	p.theirs.set(t, "theirs", s.theirs)
	item, err := p.ours.Get(t.Context(), "theirs")
	if err != nil {
		t.Fatalf("Get of what they stored = %v", err)
	}
	want := s.ours
	if s.read != nil {
		want = s.read
	}
	var got any
	if err := p.codec.Decode(item.Value, item.Flags, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Decode of what they stored = %s, %v, want %s", short(got), err, short(want))
	}
	into := reflect.New(reflect.TypeOf(&s.ours).Elem())
	if s.ours != nil {
		into = reflect.New(reflect.TypeOf(s.ours))
	}
	if err := p.codec.Decode(item.Value, item.Flags, into.Interface()); err != nil || !reflect.DeepEqual(into.Elem().Interface(), s.ours) {
		t.Errorf("Decode of what they stored into %T = %s, %v, want %s", s.ours, short(into.Elem().Interface()), err, short(s.ours))
	}
	if s.oneWay {
		return
	}
	flags := p.write(t, "ours", s.ours)
	if !s.anyFlags && flags != item.Flags {
		t.Errorf("flags of ours = %#x, of theirs %#x", flags, item.Flags)
	}
	if s.back.Type == "" {
		s.back = s.theirs
	}
	if got := p.theirs.get(t, "ours"); !same(got, s.back) {
		t.Errorf("they read %s, want %s", short(got), short(s.back))
	}
}

// write stores a value through the codec and returns its flags.
func (p pair) write(t *testing.T, key string, v any) (flags uint32) {
	t.Helper()
	data, flags, err := p.codec.Encode(v)
	if err != nil {
		t.Fatalf("Encode(%s) = %v", short(v), err)
	}
	if err := p.ours.Set(t.Context(), &memcached.Item{Key: key, Value: data, Flags: flags}); err != nil {
		t.Fatalf("Set = %v", err)
	}
	return flags
}

// read reads a value through the codec.
func (p pair) read(t *testing.T, key string, v any) {
	t.Helper()
	item, err := p.ours.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("Get(%q) = %v", key, err)
	}
	if err := p.codec.Decode(item.Value, item.Flags, v); err != nil {
		t.Fatalf("Decode(%q, %#x) into %T = %v", key, item.Flags, v, err)
	}
}

// all is every language once, without the tools, which have no types.
func all() []language { return []language{python, pylibmc, pymemcache, ruby, java, php} }

// TestJSON has each client read and write JSON text, the common ground of all.
func TestJSON(t *testing.T) {
	type user struct {
		Name string
		Tags []string
		Age  int
	}
	want := user{"Zoë", []string{"a", "日本"}, 42}
	each(t, all(), func(t *testing.T, p pair) {
		p.theirs.set(t, "theirs", jsonOf(want))
		var text string
		p.read(t, "theirs", &text)
		var got user
		if err := (codec.JSON{}).Decode([]byte(text), 0, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("this client reads %+v, %v, want %+v", got, err, want)
		}
		pair{language{codec: codec.JSON{}}, p.theirs, p.ours}.write(t, "ours", want)
		var back *value
		p.theirs.must(t, "get_json", args{"key": "ours"}, &back)
		if !same(back, jsonOf(want)) {
			t.Errorf("they read %s, want %s", short(back), short(jsonOf(want)))
		}
	})
}
