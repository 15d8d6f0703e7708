package bmemcached_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/bmemcached/bmemcached-go/binary/codec/bmemcached"
)

func ExampleCodec() {
	c := bmemcached.Codec{}

	// client.set('greeting', 'héllo') in Python
	data, flags, err := c.Encode("héllo")
	fmt.Printf("%q %d %v\n", data, flags, err)

	// client.set('visits', 42) in Python
	data, flags, err = c.Encode(42)
	fmt.Printf("%q %d %v\n", data, flags, err)

	// client.get('visits') in Python
	var visits int
	err = c.Decode(data, flags, &visits)
	fmt.Println(visits, err)

	// Long values are compressed, as Python compresses them.
	_, flags, err = c.Encode(strings.Repeat("abc ", 100))
	fmt.Println(flags == bmemcached.FlagZlib, err)
	// Output:
	// "héllo" 0 <nil>
	// "42" 2 <nil>
	// 42 <nil>
	// true <nil>
}

func ExampleErrPickle() {
	// client.set('flag', True) in Python
	data, flags := []byte("I01\n."), uint32(1)

	var v any
	err := bmemcached.Codec{}.Decode(data, flags, &v)

	var pickle *bmemcached.PickleError
	if errors.As(err, &pickle) {
		fmt.Printf("a pickle of %d bytes: %q\n", len(pickle.Data), pickle.Data)
	}
	fmt.Println(errors.Is(err, bmemcached.ErrPickle), v)
	// Output:
	// a pickle of 5 bytes: "I01\n."
	// true <nil>
}

// The hook of a service whose Python half pickles with a JSON pickler, as
// python-binary-memcached's pickler and unpickler arguments allow.
func ExampleCodec_unpickle() {
	c := bmemcached.Codec{
		Pickle: json.Marshal,
		Unpickle: func(data []byte) (v any, err error) {
			err = json.Unmarshal(data, &v)
			return v, err
		},
	}
	data, flags, err := c.Encode(map[string]any{"name": "Ada", "admin": true})
	fmt.Printf("%s %d %v\n", data, flags, err)

	var v map[string]any
	err = c.Decode(data, flags, &v)
	fmt.Println(v["name"], v["admin"], err)
	// Output:
	// {"admin":true,"name":"Ada"} 1 <nil>
	// Ada true <nil>
}

func ExamplePylibmc() {
	// pylibmc and pymemcache mark text, python-binary-memcached marks bytes.
	for _, v := range []any{"text", []byte("bytes")} {
		_, pylibmc, _ := bmemcached.Pylibmc{}.Encode(v)
		_, binary, _ := bmemcached.Codec{}.Encode(v)
		fmt.Printf("%T: %d there, %d here\n", v, pylibmc, binary)
	}
	// Output:
	// string: 16 there, 0 here
	// []uint8: 0 there, 16 here
}

func ExampleDeserialize() {
	v, err := bmemcached.Deserialize([]byte("18446744073709551616"), bmemcached.FlagInteger)
	fmt.Printf("%T %v %v\n", v, v, err)
	// Output:
	// *big.Int 18446744073709551616 <nil>
}
