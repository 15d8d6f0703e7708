package languages_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/bmemcached"
	"github.com/bmemcached/bmemcached-go/binary/codec/dalli"
	"github.com/bmemcached/bmemcached-go/binary/codec/phpmemcached"
)

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
		{ruby, join(texts(), rubyBinaries(), integers(), bigIntegers(), floats(), wholeFloats(), booleans(), compound(), around(4085, 4086, 4087, 4088), []sample{
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
		{java, join(texts(), binaries(), integers(), floats(), wholeFloats(), booleans(), javaTypes(), javaTexts(), around(16384, 16385))},
		{php, join(anyFlags(texts()), anyFlags(phpStrings()), integers(), floats(), wholeFloats(), booleans(), compound())},
		{
			php.with("zlib, JSON", args{"OPT_COMPRESSION_TYPE": "COMPRESSION_ZLIB", "OPT_SERIALIZER": "SERIALIZER_JSON_ARRAY"}, phpmemcached.Codec{Serializer: phpmemcached.JSON}),
			join(texts(), phpStrings(), integers(), floats(), booleans(), around(1999, 2000, 2001)),
		},
		{php.with("not compressing", args{"OPT_COMPRESSION": false}, phpmemcached.Codec{CompressAbove: -1}), join(texts(), phpStrings())},
		{php.with("user flags", args{"OPT_USER_FLAGS": 0x1234}, phpmemcached.Codec{UserFlags: 0x1234}), join(integers(), booleans(), compound())},
		{npmMemcached, join(texts(), binaries(), safeIntegers(), floats(), booleans(), javaScript())},
		{tools, binaries()},
		{memjs, binaries()},
		{perl, binaries()},
		{perlFast, binaries()},
		{phpMemcache, without("large bytes", binaries())}, // it compresses them
		{pythonMemcached, join(texts(), binaries(), anyFlags(integers()), anyFlags(bigIntegers()))},
		{python.newer(), join(texts(), binaries(), integers(), bigIntegers(), around(128, 129))},
		{pymemcache.newer(), join(texts(), binaries(), anyFlags(integers()), anyFlags(bigIntegers()))},
		{ruby.newer(), join(texts(), rubyBinaries(), integers(), bigIntegers(), floats(), wholeFloats(), booleans(), compound(), around(4085, 4086, 4087, 4088))},
		{php.newer(), join(anyFlags(texts()), anyFlags(phpStrings()), integers(), floats(), wholeFloats(), booleans(), anyFlags(compound()))},
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

// TestPHPMemcache_CompressesLargeText is what PHP.md says of PHP's older extension.
func TestPHPMemcache_CompressesLargeText(t *testing.T) {
	each(t, []language{phpMemcache}, func(t *testing.T, p pair) {
		for size, flags := range map[int]uint32{19_999: 0, 20_001: 2} {
			p.theirs.set(t, "k", textOf(strings.Repeat("a", size)))
			item, err := p.ours.Get(t.Context(), "k")
			if err != nil || item.Flags != flags || (len(item.Value) == size) != (flags == 0) {
				t.Errorf("%d bytes are stored as %d, flags %d, %v, want flags %d", size, len(item.Value), item.Flags, err, flags)
			}
		}
	})
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

// all is every language once, without the clients that have no types.
func all() []language {
	return []language{
		python, pylibmc, pymemcache, ruby, java, php, npmMemcached, pythonMemcached,
		python.newer(), pymemcache.newer(), ruby.newer(), php.newer(),
	}
}

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
