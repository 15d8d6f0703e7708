package codec_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/bmemcached/bmemcached-go/binary/codec"
)

func ExampleJSON() {
	type user struct {
		Name  string
		Score int
	}
	data, flags, err := codec.JSON{}.Encode(user{"Ada", 7})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(data), flags)

	var u user
	err = codec.JSON{}.Decode(data, flags, &u)
	fmt.Println(u.Name, u.Score, err)
	// Output:
	// {"Name":"Ada","Score":7} 0
	// Ada 7 <nil>
}

func ExampleRaw() {
	data, flags, err := codec.Raw{}.Encode([]byte{0, 1, 2})
	fmt.Println(data, flags, err)

	_, _, err = codec.Raw{}.Encode(42)
	fmt.Println(errors.Is(err, codec.ErrType))
	// Output:
	// [0 1 2] 0 <nil>
	// true
}

func ExampleCompressed() {
	c := codec.Compressed(codec.JSON{}, 1024)
	page := strings.Repeat("<li>one more line of a long page</li>\n", 1000)

	data, flags, err := c.Encode(page)
	fmt.Println(len(data) < len(page)/10, flags == codec.FlagZstd, err)

	var got string
	err = c.Decode(data, flags, &got)
	fmt.Println(got == page, err)

	_, flags, _ = c.Encode("short")
	fmt.Println("below 1024 bytes:", flags)
	// Output:
	// true true <nil>
	// true <nil>
	// below 1024 bytes: 0
}

func ExampleCompressedMax() {
	small := codec.CompressedMax(codec.Raw{}, 0, 1<<20)

	// Somebody stored a few bytes that decompress to 16 MiB.
	data, flags, _ := codec.Compressed(codec.Raw{}, 0).Encode(make([]byte, 16<<20))

	var got []byte
	err := small.Decode(data, flags, &got)
	fmt.Println(errors.Is(err, codec.ErrTooLarge))
	// Output:
	// true
}
