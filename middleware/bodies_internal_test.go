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
		first, leads := bs.join(nameOfBody(e), e.Size)
		second, follows := bs.join(nameOfBody(e), e.Size)
		if first == nil || first != second || !leads || follows {
			t.Fatalf("%s: join = %v %v, then %v %v, want one body and one who makes it", name, first, leads, second, follows)
		}
		other := *e
		other.BodyID = 2
		if b, _ := bs.join(nameOfBody(&other), other.Size); b != nil {
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
	failed, _ := bs.join(nameOfBody(e), e.Size)
	bs.finish(failed, nil, context.DeadlineExceeded)
	if b, leads := bs.join(nameOfBody(e), e.Size); b == failed || !leads {
		t.Error("whoever comes after a failure gets that failure")
	}
}

// TestHold_CountsTheRoom in which a body is, not only the body, and each once, whatever the
// order in which those who have it in common leave.
func TestHold_CountsTheRoom(t *testing.T) {
	const most, size, room = 1 << 20, 70 << 10, 200 << 10
	bs := new(bodies)
	bs.room.left, bs.most = most, most
	found := func(id uint64, text byte) (*stored.Entry, *jointLookup) {
		a := &answer{value: make([]byte, size, room)}
		for i := range a.value {
			a.value[i] = text
		}
		return &stored.Entry{Key: "key", ID: id, Body: a.value}, lookedUpAlone(a)
	}
	var held []*body
	for _, step := range []struct {
		id    uint64
		text  byte
		leads bool
		left  int64
	}{
		{1, 'a', true, most - room},
		{1, 'a', false, most - room},
		{2, 'a', false, most - room},  // confirmed: the same in all but the ID
		{3, 'b', true, most - 2*room}, // another of the same length
		{3, 'b', false, most - 2*room},
	} {
		e, lookup := found(step.id, step.text)
		b, leads := bs.hold(e, lookup)
		if b == nil || leads != step.leads || bs.room.left != step.left || e.Body[0] != step.text || e.Body[size-1] != step.text {
			t.Fatalf("entry %d: leads %v and %d bytes are left, want %v and %d", step.id, leads, bs.room.left, step.leads, step.left)
		}
		held = append(held, b)
	}
	e, _ := found(1, 'a')
	b, leads := bs.hold(e, nil) // for who stores or publishes it
	if b == held[0] || !leads || bs.room.left != most-2*room-size {
		t.Errorf("without room to use again: leads %v and %d bytes are left, want true and %d", leads, bs.room.left, most-2*room-size)
	}
	for _, b := range append(held, b) {
		bs.leave(b)
	}
	if bs.room.left != most || len(bs.all) != 0 {
		t.Errorf("afterwards %d bytes are left, and %d bodies", bs.room.left, len(bs.all))
	}
}
