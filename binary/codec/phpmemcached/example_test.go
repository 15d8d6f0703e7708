package phpmemcached_test

import (
	"errors"
	"fmt"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/phpmemcached"
)

func ExampleCodec() {
	c := phpmemcached.Codec{}

	// $memcached->set('user', ['name' => 'Ada', 'visits' => 42]) in PHP
	data, flags, err := c.Encode(map[string]any{"name": "Ada", "visits": 42})
	fmt.Println(string(data), flags, err)

	// $memcached->get('user') in PHP
	var user map[string]any
	err = c.Decode(data, flags, &user)
	fmt.Println(user["name"], user["visits"], err)
	// Output:
	// a:2:{s:4:"name";s:3:"Ada";s:6:"visits";i:42;} 4 <nil>
	// Ada 42 <nil>
}

func ExampleCodec_json() {
	// $memcached->setOption(Memcached::OPT_SERIALIZER, Memcached::SERIALIZER_JSON)
	c := phpmemcached.Codec{Serializer: phpmemcached.JSON}

	type user struct {
		Name string `json:"name"`
	}
	data, flags, err := c.Encode(user{"Ada"})
	fmt.Println(string(data), flags, err)

	var u user
	err = c.Decode(data, flags, &u)
	fmt.Println(u.Name, err)
	// Output:
	// {"name":"Ada"} 6 <nil>
	// Ada <nil>
}

func ExampleCodec_object() {
	var v any
	err := phpmemcached.Codec{}.Decode([]byte(`O:8:"stdClass":0:{}`), phpmemcached.TypeSerialized, &v)

	var object *codec.ObjectError
	if errors.As(err, &object) {
		fmt.Println(object.Format, string(object.Data))
	}
	// Output:
	// php serialize O:8:"stdClass":0:{}
}
