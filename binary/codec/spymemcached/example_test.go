package spymemcached_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/spymemcached"
)

func ExampleCodec() {
	c := spymemcached.Codec{}

	// Java casts what it reads: (Long) client.get("visits") needs an int64, and
	// (Integer) an int32.
	for _, v := range []any{"héllo", int32(42), 42, true, time.UnixMilli(1700000000123)} {
		data, flags, err := c.Encode(v)
		fmt.Printf("%T: %q %#x %v\n", v, data, flags, err)
	}

	// client.set("visits", 0, 42L) in Java
	var visits int
	err := c.Decode([]byte("*"), spymemcached.FlagLong, &visits)
	fmt.Println(visits, err)
	// Output:
	// string: "héllo" 0x0 <nil>
	// int32: "*" 0x200 <nil>
	// int: "*" 0x300 <nil>
	// bool: "1" 0x100 <nil>
	// time.Time: "\x01\x8b\xcf\xe5h{" 0x400 <nil>
	// 42 <nil>
}

func ExampleCodec_object() {
	var v any
	err := spymemcached.Codec{}.Decode([]byte("\xac\xed\x00\x05sr…"), spymemcached.FlagSerialized, &v)

	var object *codec.ObjectError
	fmt.Println(errors.As(err, &object), err)
	// Output:
	// true spymemcached: value is a serialized object (java serialization)
}
