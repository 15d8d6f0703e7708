package middleware

import (
	"context"
	"errors"
	"testing"

	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// TestBodies_GiveBackWhatTheyTook when the last user leaves, whatever came of them.
func TestBodies_GiveBackWhatTheyTook(t *testing.T) {
	e := &stored.Entry{Key: "key", Size: 10, ChunkSize: 5, BodyID: 1}
	for name, outcome := range map[string]struct {
		bytes []byte
		err   error
	}{
		"whole":      {make([]byte, 10), nil},
		"incomplete": {nil, nil},
		"fault":      {nil, errors.New("on purpose")},
	} {
		bs := new(bodies)
		bs.room.left = 15
		first, leads := bs.join(nameOfBody(e))
		second, follows := bs.join(nameOfBody(e))
		if first == nil || first != second || !leads || follows {
			t.Fatalf("%s: join = %v %v, then %v %v, want one body and one who makes it", name, first, leads, second, follows)
		}
		other := *e
		other.BodyID = 2
		if b, _ := bs.join(nameOfBody(&other)); b != nil {
			t.Errorf("%s: there is room for another body", name)
		}
		bs.finish(first, outcome.bytes, outcome.err)
		bs.leave(first)
		if bs.room.left != 5 {
			t.Errorf("%s: %d bytes are left while one uses the body, want 5", name, bs.room.left)
		}
		bs.leave(second)
		bs.leave(nil)
		if bs.room.left != 15 || len(bs.all) != 0 {
			t.Errorf("%s: afterwards %d bytes are left, and %d bodies", name, bs.room.left, len(bs.all))
		}
	}
}

// TestBodies_OneFailureIsNotThatOfAll who want the body: the next of them tries.
func TestBodies_OneFailureIsNotThatOfAll(t *testing.T) {
	e := &stored.Entry{Key: "key", Size: 10, ChunkSize: 5, BodyID: 1}
	bs := new(bodies)
	bs.room.left = 20
	failed, _ := bs.join(nameOfBody(e))
	bs.finish(failed, nil, context.DeadlineExceeded)
	if b, leads := bs.join(nameOfBody(e)); b == failed || !leads {
		t.Error("whoever comes after a failure gets that failure")
	}
}
