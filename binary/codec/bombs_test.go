package codec_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/bmemcached"
	"github.com/bmemcached/bmemcached-go/binary/codec/dalli"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/golden"
	"github.com/bmemcached/bmemcached-go/binary/codec/nodememcached"
	"github.com/bmemcached/bmemcached-go/binary/codec/phpmemcached"
	"github.com/bmemcached/bmemcached-go/binary/codec/spymemcached"
)

// What reading any value may cost, whoever stored it: memory, and allocations, which
// stand for time because no decoder works much without them.
const (
	maxBytes   = 64 << 20
	maxObjects = 1 << 20
)

// A bomb is a small value that would take much memory or time.
type bomb struct {
	name  string
	codec codec.Codec
	data  []byte
	flags uint32
	into  func() any
	limit string // that it exceeds; "" for what is just within all of them
}

func intoAny() any      { return new(any) }
func intoStrings() any  { return new([]string) }
func intoString() any   { return new(string) }
func intoBytes() any    { return new([]byte) }
func intoAllBytes() any { return new([][]byte) }
func intoFloat() any    { return new(float64) }
func intoBig() any      { return new(big.Int) }
func intoFloats() any   { return new([]float64) }
func intoBigs() any     { return new([]*big.Int) }

// zstdText compresses text of any size to little.
func zstdText(tb testing.TB, text string) []byte {
	tb.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll([]byte(text), nil)
}

// zlibText compresses text with the standard library.
func zlibText(tb testing.TB, text string) []byte {
	tb.Helper()
	var z bytes.Buffer
	w, err := zlib.NewWriterLevel(&z, zlib.BestSpeed) // what matters here is reading
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return z.Bytes()
}

func gzipText(tb testing.TB, text string) []byte {
	tb.Helper()
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write([]byte(text)); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return z.Bytes()
}

// long is a number of the marshal format.
func long(n int) string {
	return "\x04" + string(binary.LittleEndian.AppendUint32(nil, uint32(n)))
}

// bignum is a Bignum of so many words of 16 bits.
func bignum(words int) string { return "l+" + long(words) + strings.Repeat("\xff\x7f", words) }

// igbinary is the header of that format.
const igbinary = "\x00\x00\x00\x02"

// igArray begins an array of igbinary.
func igArray(n int) string {
	return "\x16" + string(binary.BigEndian.AppendUint32(nil, uint32(n)))
}

// igLinks is a string of 1 MiB and n links to it, with their keys.
func igLinks(n int) string {
	return "\x06\x00\x13\x00\x10\x00\x00" + strings.Repeat("a", 1<<20) + strings.Repeat("\x06\x00\x0e\x00", n)
}

// copies is an array of arrays, of which each holds the one before ten times.
func copies(n int) string {
	text := igArray(n) + "\x06\x00\x14\x01\x06\x00\x00"
	for i := 1; i < n; i++ {
		text += "\x06\x00\x14\x0a" + strings.Repeat("\x06\x00\x01"+string([]byte{byte(i)}), 10)
	}
	return text
}

// deepCopies is an array of arrays, of which each holds the one before.
func deepCopies(n int) string {
	text := igArray(n) + "\x06\x00\x14\x01\x06\x00\x00"
	for i := 1; i < n; i++ {
		text += "\x06\x00\x14\x01\x06\x00\x02" + string(binary.BigEndian.AppendUint16(nil, uint16(i)))
	}
	return text
}

// numbered is a list of PHP.
func numbered(n int, element string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "a:%d:{", n)
	for i := range n {
		fmt.Fprintf(&b, "i:%d;%s", i, element)
	}
	return b.String() + "}"
}

// list returns JSON with n times the element.
func list(n int, element string) string {
	return "[" + strings.Repeat(element+",", n-1) + element + "]"
}

// jsonBombs are texts that encoding/json would decode to much more.
func jsonBombs() map[string]string {
	const most = codec.MaxElements
	return map[string]string{
		"elements: zeros":       list(7<<20, "0"),
		"elements: lists":       list(5<<20, "[]"),
		"elements: maps":        list(5<<20, "{}"),
		"elements: small maps":  list(1<<20, `{"":{"":0}}`),
		"elements: pairs":       "{" + strings.Repeat(`"abcd":1,`, 1<<20) + `"":0}`,
		"depth":                 strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000),
		"digits":                "[" + strings.Repeat("7", 12<<20) + "]",
		"elements: floats":      list(10_000, "5e-324"),
		"elements: long floats": list(10_000, "0."+strings.Repeat("7", 700)+"e-300"),
		"elements: digits":      list(3000, strings.Repeat("7", 4000)),
		"size: not UTF-8":       `"` + strings.Repeat("\xff", 15<<20) + `"`,
		": zeros":               list(most-4, "1.5"),
		": floats":              list(most-4, "-1.2345678901234567e+99"),
		": lists":               list(most/4-1, "[]"),
		": maps":                list(most/6-1, `{"":0}`),
		": nested maps":         list(most/13-1, `{"":{"":0}}`),
		": pairs":               "{" + strings.Repeat(`"a":1.5,`, most/2-4) + `"":0}`,
		": a long string":       `["` + strings.Repeat("a", 15<<20) + `",` + list(most/6-8, `{"":0}`) + `]`,
	}
}

func bombs(tb testing.TB) []bomb {
	const header = "\x04\x08"
	deep := strings.Repeat("[\x06", 200) + "0"
	huge := bignum(4 << 20)
	number := bignum(890)
	php := func(text string) []byte {
		return append(binary.LittleEndian.AppendUint32(nil, uint32(len(text))), zstdText(tb, text)...)
	}
	const phpFlags = phpmemcached.TypeSerialized | phpmemcached.FlagCompressed | phpmemcached.FlagZstd
	const rubyFlags = dalli.FlagSerialized | dalli.FlagCompressed
	links := header + "[" + long(200_001) + number + strings.Repeat("@\x06", 200_000)
	list := []bomb{
		{"ruby: links to a number", dalli.Codec{}, zlibText(tb, links), rubyFlags, intoStrings, "elements"},
		{"ruby: links to a number, any", dalli.Codec{}, zlibText(tb, links), rubyFlags, intoAny, "elements"},
		{"ruby: a number of 8 MiB", dalli.Codec{}, []byte(header + huge), dalli.FlagSerialized, intoString, "digits"},
		{"ruby: many numbers", dalli.Codec{}, []byte(header + "[" + long(4000) + strings.Repeat(number, 4000)), dalli.FlagSerialized, intoStrings, "elements"},
		{"ruby: a long float", dalli.Codec{}, []byte(header + "f" + long(8<<20) + strings.Repeat("1", 8<<20)), dalli.FlagSerialized, intoAny, "digits"},
		{"ruby: links to a string", dalli.Codec{}, zlibText(tb, header+"["+long(200_001)+"\""+long(1<<20)+strings.Repeat("a", 1<<20)+strings.Repeat("@\x06", 200_000)), rubyFlags, intoAny, "size"},
		{"ruby: links to a symbol", dalli.Codec{}, zlibText(tb, header+"["+long(200_001)+":"+long(1<<20)+strings.Repeat("a", 1<<20)+strings.Repeat(";\x00", 200_000)), rubyFlags, intoAllBytes, "size"},
		{"ruby: variables", dalli.Codec{}, zlibText(tb, header+"I\"\x00"+long(4<<20)+strings.Repeat(":\x06ET", 3<<20)), rubyFlags, intoAny, "elements"},
		{"ruby: encodings", dalli.Codec{}, zlibText(tb, header+"I\"\x00"+long(4<<20)+":\x0dencoding\"\x00"+strings.Repeat(";\x00\"\x00", 3<<20)), rubyFlags, intoAny, "elements"},
		{"ruby: arrays", dalli.Codec{}, zlibText(tb, header+"["+long(6<<20)+strings.Repeat("[\x00", 6<<20)), rubyFlags, intoAny, "elements"},
		{"ruby: hashes", dalli.Codec{}, zlibText(tb, header+"["+long(2<<20)+strings.Repeat("{\x06i\x000", 2<<20)), rubyFlags, intoAny, "elements"},
		{"ruby: deep", dalli.Codec{}, []byte(header + deep), dalli.FlagSerialized, intoAny, "depth"},
		{"ruby: 128 MiB", dalli.Codec{}, zlibOf(tb, 1<<27), dalli.FlagCompressed, intoBytes, "size"},
		{"ruby: floats", dalli.Codec{}, []byte(header + "[" + long(100_000) + strings.Repeat("f\x0b5e-324", 100_000)), dalli.FlagSerialized, intoAny, "elements"},
		{"ruby: strings as floats", dalli.Codec{}, []byte(header + "[" + long(100_000) + strings.Repeat("\"\x0b5e-324", 100_000)), dalli.FlagSerialized, intoFloats, "elements"},
		{"ruby: digits", dalli.Codec{}, []byte(header + "[" + long(3900) + strings.Repeat("\""+long(4200)+strings.Repeat("7", 4200), 3900)), dalli.FlagSerialized, intoBigs, "elements"},
		{"ruby: links to digits", dalli.Codec{}, []byte(header + "[" + long(3901) + "\"" + long(4200) + strings.Repeat("7", 4200) + strings.Repeat("@\x06", 3900)), dalli.FlagSerialized, intoBigs, "elements"},
		{"ruby: within, strings", dalli.Codec{}, zlibText(tb, header+"["+long(262_000)+strings.Repeat("I\"\x00\x06:\x06ET", 262_000)), rubyFlags, intoAny, ""},
		{"ruby: within, hashes", dalli.Codec{}, zlibText(tb, header+"["+long(40_000)+strings.Repeat("{\x06i\x000", 40_000)), rubyFlags, intoAny, ""},
		{"php: arrays", phpmemcached.Codec{}, php("a:1000000:{" + strings.Repeat("i:0;a:0:{}", 1_000_000) + "}"), phpFlags, intoAny, "elements"},
		{"php: deep", phpmemcached.Codec{}, []byte(strings.Repeat("a:1:{i:0;", 200) + "N;" + strings.Repeat("}", 200)), phpmemcached.TypeSerialized, intoAny, "depth"},
		{"php: floats", phpmemcached.Codec{}, php("a:10000:{" + strings.Repeat("i:0;d:5e-324;", 10_000) + "}"), phpFlags, intoAny, "elements"},
		{"php: strings as floats", phpmemcached.Codec{}, php(numbered(10_000, `s:6:"5e-324";`)), phpFlags, intoFloats, "elements"},
		{"php: a long int", phpmemcached.Codec{}, bytes.Repeat([]byte("1"), 8<<20), phpmemcached.TypeLong, intoBig, "digits"},
		{"php: a long float", phpmemcached.Codec{}, bytes.Repeat([]byte("1"), 8<<20), phpmemcached.TypeDouble, intoAny, "digits"},
		{"php: a long text as a number", phpmemcached.Codec{}, bytes.Repeat([]byte("1"), 8<<20), phpmemcached.TypeString, intoFloat, "digits"},
		{"php: within, arrays", phpmemcached.Codec{}, php("a:50000:{" + strings.Repeat("i:0;a:0:{}", 50_000) + "}"), phpFlags, intoAny, ""},
		{"php: within, small arrays", phpmemcached.Codec{}, php("a:37000:{" + strings.Repeat(`i:0;a:1:{s:1:"a";N;}`, 37_000) + "}"), phpFlags, intoAny, ""},
		{"igbinary: arrays", phpmemcached.Codec{}, []byte(igbinary + igArray(400_000) + strings.Repeat("\x06\x00\x14\x00", 400_000)), phpmemcached.TypeIgbinary, intoAny, "elements"},
		{"igbinary: deep", phpmemcached.Codec{}, []byte(igbinary + strings.Repeat("\x14\x01\x06\x00", 200) + "\x00"), phpmemcached.TypeIgbinary, intoAny, "depth"},
		{"igbinary: copies", phpmemcached.Codec{}, []byte(igbinary + igArray(1001) + "\x06\x00" + igArray(1000) + strings.Repeat("\x06\x00\x00", 1000) + strings.Repeat("\x06\x00\x01\x01", 1000)), phpmemcached.TypeIgbinary, intoAny, "elements"},
		{"igbinary: copies of copies", phpmemcached.Codec{}, []byte(igbinary + copies(20)), phpmemcached.TypeIgbinary, intoAny, "elements"},
		{"igbinary: deep by copies", phpmemcached.Codec{}, []byte(igbinary + deepCopies(300)), phpmemcached.TypeIgbinary, intoAny, "depth"},
		{"igbinary: links to a string", phpmemcached.Codec{}, []byte(igbinary + igArray(120_001) + igLinks(120_000)), phpmemcached.TypeIgbinary, intoAllBytes, "size"},
		{"igbinary: copies of strings", phpmemcached.Codec{}, []byte(igbinary + igArray(1001) + "\x06\x00\x14\x02" + igLinks(1) + strings.Repeat("\x06\x00\x01\x01", 1000)), phpmemcached.TypeIgbinary, intoAny, "size"},
		{"igbinary: within, arrays", phpmemcached.Codec{}, []byte(igbinary + igArray(50_000) + strings.Repeat("\x06\x00\x14\x00", 50_000)), phpmemcached.TypeIgbinary, intoAny, ""},
		{"igbinary: within, copies", phpmemcached.Codec{}, []byte(igbinary + igArray(30_001) + "\x06\x00\x14\x01\x11\x01a\x00" + strings.Repeat("\x06\x00\x01\x01", 30_000)), phpmemcached.TypeIgbinary, intoAny, ""},
		{"msgpack: arrays", phpmemcached.Codec{}, []byte("\xdd\x00\x10\x00\x00" + strings.Repeat("\x90", 1<<20)), phpmemcached.TypeMsgpack, intoAny, "elements"},
		{"msgpack: deep", phpmemcached.Codec{}, []byte(strings.Repeat("\x91", 200) + "\xc0"), phpmemcached.TypeMsgpack, intoAny, "depth"},
		{"msgpack: within, arrays", phpmemcached.Codec{}, []byte("\xdd\x00\x00\xc0\x00" + strings.Repeat("\x90", 0xc000)), phpmemcached.TypeMsgpack, intoAny, ""},
		{"msgpack: within, maps", phpmemcached.Codec{}, []byte("\xdd\x00\x00\x90\x00" + strings.Repeat("\x81\xa1a\xc0", 0x9000)), phpmemcached.TypeMsgpack, intoAny, ""},
		{"python: a long int", bmemcached.Codec{}, bytes.Repeat([]byte("1"), 8<<20), bmemcached.FlagInteger, intoAny, "digits"},
		{"python: 128 MiB", bmemcached.Codec{}, zlibOf(tb, 1<<27), bmemcached.FlagZlib, intoString, "size"},
		{"pylibmc: a long int", bmemcached.Pylibmc{}, zlibText(tb, strings.Repeat("1", 8<<20)), bmemcached.FlagLong | bmemcached.FlagZlib, intoAny, "digits"},
		{"java: 64 MiB", spymemcached.Codec{}, gzipText(tb, strings.Repeat("a", 1<<26)), spymemcached.FlagCompressed, intoString, "size"},
		{"java: a text as a number", spymemcached.Codec{}, gzipText(tb, strings.Repeat("1", 12<<20)), spymemcached.FlagCompressed, intoBig, "digits"},
	}
	for name, text := range jsonBombs() {
		limit, _, _ := strings.Cut(name, ":")
		list = append(list,
			bomb{"JSON: " + name, codec.Compressed(codec.JSON{}, 0), zstdText(tb, text), codec.FlagZstd, intoAny, limit},
			bomb{"node: " + name, nodememcached.Codec{}, []byte(text), nodememcached.FlagJSON, intoAny, limit},
			bomb{"ruby: JSON: " + name, dalli.Codec{}, zlibText(tb, text), rubyFlags, intoAny, limit})
	}
	return list
}

// TestBombs reads small values that ask for much: each ends with an error that
// names the limit, at a cost that is bounded, and so is what just remains within
// all limits.
func TestBombs(t *testing.T) {
	for _, b := range bombs(t) {
		t.Run(b.name, func(t *testing.T) {
			into := b.into()
			var err error
			bytes, objects := golden.Cost(func() { err = b.codec.Decode(b.data, b.flags, into) })
			if bytes > maxBytes || objects > maxObjects {
				t.Errorf("%d bytes cost %d bytes in %d objects", len(b.data), bytes, objects)
			}
			t.Logf("%d bytes cost %.1f MiB in %d objects: %v", len(b.data), float64(bytes)/(1<<20), objects, err)
			var exceeded *codec.LimitError
			switch {
			case b.limit == "" && err != nil:
				t.Errorf("Decode = %v, want nil", err)
			case b.limit != "" && (!errors.Is(err, codec.ErrTooLarge) || !errors.As(err, &exceeded) || exceeded.Limit != b.limit):
				t.Errorf("Decode = %v, want a LimitError of %s", err, b.limit)
			}
		})
	}
}

// TestLimits_OfOnesOwn moves the limits.
func TestLimits_OfOnesOwn(t *testing.T) {
	const text = `[1,2,3]` // 4 for the list, 1 for each
	for _, tc := range []struct {
		name   string
		few    codec.Codec
		enough codec.Codec
		data   string
		flags  uint32
		max    int
	}{
		{"JSON", codec.JSON{MaxElements: 6}, codec.JSON{MaxElements: 7}, text, 0, 6},
		{"ruby", dalli.Codec{MaxElements: 5}, dalli.Codec{MaxElements: 6}, "\x04\x08[\x08i\x06i\x07i\x08", 1, 5},
		{"ruby, JSON", dalli.Codec{MaxElements: 6}, dalli.Codec{MaxElements: 7}, text, 1, 6},
		{"php", phpmemcached.Codec{MaxElements: 4}, phpmemcached.Codec{MaxElements: 5}, "a:1:{i:0;N;}", 4, 4},
		{"php, JSON", phpmemcached.Codec{MaxElements: 6}, phpmemcached.Codec{MaxElements: 7}, text, 6, 6},
	} {
		var exceeded *codec.LimitError
		if err := tc.few.Decode([]byte(tc.data), tc.flags, new(any)); !errors.As(err, &exceeded) || *exceeded != (codec.LimitError{Limit: "elements", Max: tc.max}) {
			t.Errorf("%s: Decode = %v, want a LimitError of %d elements", tc.name, err, tc.max)
		}
		if err := tc.enough.Decode([]byte(tc.data), tc.flags, new(any)); err != nil {
			t.Errorf("%s: Decode = %v, want nil", tc.name, err)
		}
	}
	for _, c := range []codec.Codec{codec.JSON{MaxElements: 6}, dalli.Codec{MaxElements: 5}, phpmemcached.Codec{MaxElements: 8}} {
		if _, _, err := c.Encode([]int{1, 2, 3}); !errors.Is(err, codec.ErrTooLarge) {
			t.Errorf("%T: Encode of what cannot be read back = %v, want ErrTooLarge", c, err)
		}
		if _, _, err := c.Encode([]int{1, 2}); err != nil {
			t.Errorf("%T: Encode = %v, want nil", c, err)
		}
	}
	if _, _, err := (dalli.Codec{MaxElements: 4}).Encode(map[string]int{"a": 1}); !errors.Is(err, codec.ErrTooLarge) {
		t.Errorf("Encode of a map that cannot be read back = %v, want ErrTooLarge", err)
	}
	if _, _, err := (dalli.Codec{}).Encode(new(big.Int).Lsh(big.NewInt(1), 1<<16)); !errors.Is(err, codec.ErrTooLarge) {
		t.Errorf("Encode of what cannot be read back = %v, want ErrTooLarge", err)
	}
}
