package dalli_test

import (
	"errors"
	"fmt"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/dalli"
)

func ExampleCodec() {
	c := dalli.Codec{}

	// cache.set('user', { 'name' => 'Ada', 'visits' => 42 }) in Ruby
	data, flags, err := c.Encode(map[string]any{"name": "Ada", "visits": 42})
	fmt.Println(flags == dalli.FlagSerialized, err)

	// cache.get('user') in Ruby
	var user map[string]any
	err = c.Decode(data, flags, &user)
	fmt.Println(user["name"], user["visits"], err)
	// Output:
	// true <nil>
	// Ada 42 <nil>
}

func ExampleCodec_json() {
	// Dalli::Client.new(servers, serializer: JSON) in Ruby
	c := dalli.Codec{Serializer: dalli.JSON}

	type user struct {
		Name string `json:"name"`
	}
	data, flags, err := c.Encode(user{"Ada"})
	fmt.Printf("%s %d %v\n", data, flags, err)

	var u user
	err = c.Decode(data, flags, &u)
	fmt.Println(u.Name, err)
	// Output:
	// {"name":"Ada"} 1 <nil>
	// Ada <nil>
}

func ExampleCodec_object() {
	// cache.set('range', 1..3) in Ruby
	data := []byte("\x04\bo:\nRange\b:\texclF:\nbegini\x06:\bendi\b")

	var v any
	err := dalli.Codec{}.Decode(data, dalli.FlagSerialized, &v)

	var object *codec.ObjectError
	if errors.As(err, &object) {
		fmt.Println(object.Format, len(object.Data) == len(data))
	}
	// Output:
	// ruby marshal true
}
