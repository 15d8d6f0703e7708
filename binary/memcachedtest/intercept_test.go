package memcachedtest

import (
	"bytes"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// when returns a function for Intercept that applies an action to one key.
func when(key string, action Action) func(Request) Action {
	return func(r Request) Action {
		if r.Key == key {
			return action
		}
		return Action{}
	}
}

func TestIntercept_Delay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Start(t, nil)
		s.Intercept(when("slow", Action{Delay: time.Minute}))
		nc := dialMemory(t, s)
		start := time.Now()
		if _, err := nc.Write(slices.Concat(getRequest("quick"), getRequest("slow"), getRequest("quick"))); err != nil {
			t.Fatal(err)
		}
		for i, want := range []time.Duration{0, time.Minute, time.Minute} {
			receive(t, nc)
			if got := time.Since(start); got != want {
				t.Errorf("answer %d came after %v, want %v", i, got, want)
			}
		}
	})
}

func TestIntercept_Until(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Start(t, nil)
		gate := make(chan struct{})
		s.Intercept(when("held", Action{Until: gate}))
		nc := dialMemory(t, s)
		if _, err := nc.Write(setRequest("held", "v")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if item, ok := s.Item("held"); ok {
			t.Errorf("while it is held, Item = %v, want none", item)
		}
		close(gate)
		if f := receive(t, nc); f.Status != wire.StatusOK {
			t.Errorf("SET = %v, want %v", f.Status, wire.StatusOK)
		}
	})
}

func TestIntercept_Status(t *testing.T) {
	s := Start(t, nil)
	s.Intercept(when("k", Action{Status: memcached.StatusOutOfMemory}))
	nc := dialMemory(t, s)
	f := ask(t, nc, setRequest("k", "value"))
	if f.Status != wire.StatusOutOfMemory || string(f.Value) != "Out of memory" {
		t.Errorf("SET = %v %q, want %v", f.Status, f.Value, wire.StatusOutOfMemory)
	}
	if _, ok := s.Item("k"); ok {
		t.Error("the request was carried out all the same")
	}
	if f := ask(t, nc, setRequest("other", "v")); f.Status != wire.StatusOK {
		t.Errorf("SET of another key = %v, want %v", f.Status, wire.StatusOK)
	}
}

func TestIntercept_SkipAndMute(t *testing.T) {
	for name, test := range map[string]struct {
		action Action
		stored bool
	}{
		"skip": {Action{Skip: true}, false},
		"mute": {Action{Mute: true}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := Start(t, nil)
			s.Intercept(when("k", test.action))
			f := ask(t, dialMemory(t, s), append(setRequest("k", "v"), getRequest("other")...))
			if f.Opcode != wire.OpGet {
				t.Errorf("%v was answered first, want the GET behind the SET", f.Opcode)
			}
			if _, ok := s.Item("k"); ok != test.stored {
				t.Errorf("stored: %v, want %v", ok, test.stored)
			}
		})
	}
}

func TestIntercept_Close(t *testing.T) {
	for name, test := range map[string]struct {
		action   Action
		answered int // bytes
		stored   bool
	}{
		"after the answer":   {Action{Close: true}, wire.HeaderLen, true},
		"before the request": {Action{Skip: true, Close: true}, 0, false},
		"before the answer":  {Action{Mute: true, Close: true}, 0, true},
		"amid the answer":    {Action{Edit: func(b []byte) []byte { return b[:10] }, Close: true}, 10, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := Start(t, nil)
			s.Intercept(when("k", test.action))
			nc := dialMemory(t, s)
			if _, err := nc.Write(append(getRequest("miss"), setRequest("k", "v")...)); err != nil {
				t.Fatal(err)
			}
			if f := receive(t, nc); f.Opcode != wire.OpGet {
				t.Errorf("%v was answered first, want the GET before", f.Opcode)
			}
			b, err := io.ReadAll(nc)
			if err != nil || len(b) != test.answered {
				t.Errorf("%d bytes were answered and %v, want %d and the end", len(b), err, test.answered)
			}
			if _, ok := s.Item("k"); ok != test.stored {
				t.Errorf("stored: %v, want %v", ok, test.stored)
			}
		})
	}
}

func TestIntercept_EditCorruptsAnswers(t *testing.T) {
	s := Start(t, nil)
	s.Intercept(when("k", Action{Edit: func(b []byte) []byte { b[0] = 'X'; return b }}))
	nc := dialMemory(t, s)
	if _, err := nc.Write(getRequest("k")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	if _, err := io.ReadFull(nc, b); err != nil || b[0] != 'X' {
		t.Errorf("the answer starts with %q, %v, want X", b, err)
	}
}

func TestIntercept_EditSeesAllFramesOfAnAnswer(t *testing.T) {
	s := Start(t, nil)
	frames := make(chan int, 1)
	s.Intercept(when("settings", Action{Edit: func(b []byte) []byte {
		frames <- bytes.Count(b, []byte{byte(wire.MagicResponse), byte(wire.OpStat)})
		return nil
	}}))
	ask(t, dialMemory(t, s), append(wire.AppendKey(nil, wire.OpStat, 0, "settings"), getRequest("k")...))
	if n := <-frames; n < 10 {
		t.Errorf("Edit got %d frames of STAT settings, want all", n)
	}
}

func TestIntercept_NilEndsIt(t *testing.T) {
	s := Start(t, nil)
	s.Intercept(when("k", Action{Status: memcached.StatusInternalError}))
	s.Intercept(nil)
	if f := ask(t, dialMemory(t, s), getRequest("k")); f.Status != wire.StatusKeyNotFound {
		t.Errorf("GET = %v, want %v", f.Status, wire.StatusKeyNotFound)
	}
}

func TestIntercept_SeesRequestsBeforeAuthentication(t *testing.T) {
	s := Start(t, &Options{Users: map[string]string{"user": "pass"}})
	seen := make(chan Request, 1)
	s.Intercept(func(r Request) Action {
		seen <- r
		return Action{}
	})
	if f := ask(t, dialMemory(t, s), getRequest("k")); f.Status != wire.StatusAuthError {
		t.Errorf("GET = %v, want %v", f.Status, wire.StatusAuthError)
	}
	if r := <-seen; r.Op != "GET" || r.Key != "k" || r.Conn != 1 {
		t.Errorf("intercepted %+v, want GET of k on connection 1", r)
	}
}
