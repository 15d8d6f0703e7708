package memcachedtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

func TestItem_IsWhatAClientStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Start(t, nil)
		request := append(wire.AppendStore(nil, wire.OpSet, 0, "k", 5, 7, 60, 0), "value"...)
		f := ask(t, dialMemory(t, s), request)
		got, ok := s.Item("k")
		if !ok {
			t.Fatal("Item(k): none")
		}
		want := memcached.Item{Key: "k", Value: []byte("value"), Flags: 7, TTL: time.Minute, CAS: f.CAS}
		if fmt.Sprint(*got) != fmt.Sprint(want) {
			t.Errorf("Item(k) = %v, want %v", *got, want)
		}
		got.Value[0] = 'X'
		if again, _ := s.Item("k"); string(again.Value) != "value" {
			t.Errorf("after writing to a returned value, Item(k) = %q, want value", again.Value)
		}
		if item, ok := s.Item("other"); ok {
			t.Errorf("Item(other) = %v, want none", item)
		}
	})
}

func TestSetItem_IsWhatAClientReads(t *testing.T) {
	s := Start(t, nil)
	item := &memcached.Item{Key: "k", Value: []byte("value"), Flags: 0x01020304}
	s.SetItem(item)
	item.Value[0] = 'X'
	f := ask(t, dialMemory(t, s), getRequest("k"))
	if string(f.Value) != "value" || string(f.Extras) != "\x01\x02\x03\x04" || f.CAS == 0 {
		t.Errorf("GET = %q, flags % x, CAS %d, want value, 01 02 03 04 and a version", f.Value, f.Extras, f.CAS)
	}
	s.SetItem(&memcached.Item{Key: "k", Value: []byte("new")})
	if f := ask(t, dialMemory(t, s), getRequest("k")); string(f.Value) != "new" {
		t.Errorf("GET = %q, want new", f.Value)
	}
}

func TestSetItem_PanicsOnWhatCanNotBeStored(t *testing.T) {
	s := Start(t, nil)
	for name, item := range map[string]*memcached.Item{
		"no key":      {},
		"long key":    {Key: strings.Repeat("k", 251)},
		"large value": {Key: "k", Value: make([]byte, 1<<20)},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("SetItem with %s did not panic", name)
				}
			}()
			s.SetItem(item)
		}()
	}
}

func TestSetItem_TTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Start(t, nil)
		for _, test := range []struct {
			ttl, want time.Duration
		}{
			{0, 0},
			{time.Second, time.Second},
			{1500 * time.Millisecond, 2 * time.Second},
			{365 * 24 * time.Hour, 365 * 24 * time.Hour},
		} {
			s.SetItem(&memcached.Item{Key: "k", TTL: test.ttl})
			if item, ok := s.Item("k"); !ok || item.TTL != test.want {
				t.Errorf("SetItem with TTL %v, then Item = %v, %v, want TTL %v", test.ttl, item, ok, test.want)
			}
		}
		s.SetItem(&memcached.Item{Key: "k", TTL: -1})
		if item, ok := s.Item("k"); ok {
			t.Errorf("SetItem with a negative TTL, then Item = %v, want none", item)
		}
		s.SetItem(&memcached.Item{Key: "k", TTL: 1<<63 - 1})
		if _, ok := s.Item("k"); !ok {
			t.Error("SetItem with the longest TTL, then Item: none")
		}
	})
}

func TestAdvance_ExpiresItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Start(t, nil)
		s.SetItem(&memcached.Item{Key: "short", TTL: time.Minute})
		s.SetItem(&memcached.Item{Key: "long", TTL: time.Hour})
		s.SetItem(&memcached.Item{Key: "ever"})
		s.Advance(59 * time.Second)
		if got, want := s.Keys(), []string{"ever", "long", "short"}; !slices.Equal(got, want) {
			t.Errorf("Keys() = %q, want %q", got, want)
		}
		s.Advance(time.Second)
		if got, want := s.Keys(), []string{"ever", "long"}; !slices.Equal(got, want) {
			t.Errorf("Keys() after a minute = %q, want %q", got, want)
		}
		if item, _ := s.Item("long"); item.TTL != 59*time.Minute {
			t.Errorf("Item(long).TTL = %v, want 59m", item.TTL)
		}
	})
}

func TestStorage_EvictsWhatWasUnusedLongest(t *testing.T) {
	s := Start(t, &Options{MaxItemSize: 2000, MaxMemory: 10_000})
	nc := dialMemory(t, s)
	value := strings.Repeat("v", 900)
	for i := range 10 {
		ask(t, nc, setRequest(fmt.Sprint("k", i), value))
	}
	ask(t, nc, getRequest("k0"))
	for i := range 3 {
		ask(t, nc, setRequest(fmt.Sprint("new", i), value))
	}
	want := []string{"k0", "k4", "k5", "k6", "k7", "k8", "k9", "new0", "new1", "new2"}
	if got := s.Keys(); !slices.Equal(got, want) {
		t.Errorf("Keys() = %q, want %q", got, want)
	}
	if st := s.storage; st.bytes > st.maxMemory {
		t.Errorf("%d bytes are kept, want up to %d", st.bytes, st.maxMemory)
	}
}

func TestStorage_CountsItsBytes(t *testing.T) {
	s := Start(t, nil)
	nc := dialMemory(t, s)
	ask(t, nc, setRequest("k", "1"))
	if s.storage.bytes != 61 { // what memcached 1.6.18 says of the same item
		t.Errorf("bytes = %d, want 61", s.storage.bytes)
	}
	ask(t, nc, append(wire.AppendStore(nil, wire.OpSet, 0, "k", 3, 1, 0, 0), "100"...))
	ask(t, nc, append(wire.AppendConcat(nil, wire.OpAppend, 0, "k", 1), '0'))
	ask(t, nc, wire.AppendCounter(nil, wire.OpDecrement, 0, "k", 999, 0, 0))
	ask(t, nc, wire.AppendCounter(nil, wire.OpIncrement, 0, "k", 99999, 0, 0))
	ask(t, nc, wire.AppendCounter(nil, wire.OpIncrement, 0, "n", 1, 1, 0))
	ask(t, nc, wire.AppendDelete(nil, wire.OpDelete, 0, "k", 0))
	ask(t, nc, wire.AppendDelete(nil, wire.OpDelete, 0, "n", 0))
	if st := s.storage; st.bytes != 0 || len(st.items) != 0 || st.root.next != &st.root {
		t.Errorf("after deleting everything %d bytes and %d items are left", st.bytes, len(st.items))
	}
}
