package nodememcached_test

import (
	"fmt"

	"github.com/bmemcached/bmemcached-go/binary/codec/nodememcached"
)

// What a program in Node.js stored with client.set('user', {name: 'Ada'}, 60, done)
// is read here.
func ExampleCodec() {
	type user struct {
		Name string `json:"name"`
	}
	var c nodememcached.Codec

	data, flags, err := c.Encode(user{Name: "Ada"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s, flags %d\n", data, flags)

	var u user
	if err := c.Decode([]byte(`{"name":"Grace"}`), nodememcached.FlagJSON, &u); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(u.Name)
	// Output:
	// {"name":"Ada"}, flags 2
	// Grace
}
