package languages_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// TestCounters has both clients count with the same counters.
func TestCounters(t *testing.T) {
	each(t, all(), func(t *testing.T, p pair) {
		ctx := t.Context()
		// Theirs, created by their client.
		for _, want := range []string{"10", "15"} {
			if got := p.theirs.number(t, "incr", "theirs", 5, 10); got != want {
				t.Errorf("their incr = %s, want %s", got, want)
			}
		}
		if n, err := p.ours.Increment(ctx, "theirs", 7); n != 22 || err != nil {
			t.Errorf("Increment = %d, %v, want 22", n, err)
		}
		var n int64
		if p.read(t, "theirs", &n); n != 22 {
			t.Errorf("this client reads %d, want 22", n)
		}
		// Ours, created by this client.
		if n, err := p.ours.IncrementOrSet(ctx, "ours", 3, 100, time.Hour); n != 100 || err != nil {
			t.Errorf("IncrementOrSet = %d, %v, want 100", n, err)
		}
		if got := strings.TrimSpace(string(p.theirs.get(t, "ours").content())); got != "100" {
			t.Errorf("they read %q, want 100", got)
		}
		if got := p.theirs.number(t, "decr", "ours", 1, 0); got != "99" {
			t.Errorf("their decr = %s, want 99", got)
		}
		// The server has padded it with a space.
		if p.read(t, "ours", &n); n != 99 {
			t.Errorf("this client reads %d, want 99", n)
		}
		if got := strings.TrimSpace(string(p.theirs.get(t, "ours").content())); got != "99" {
			t.Errorf("they read %q, want 99", got)
		}
		if got := p.theirs.number(t, "decr", "ours", 1000, 0); got != "0" {
			t.Errorf("their decr below 0 = %s, want 0", got)
		}
		if n, err := p.ours.Decrement(ctx, "ours", 1); n != 0 || err != nil {
			t.Errorf("Decrement below 0 = %d, %v, want 0", n, err)
		}
	})
}

// TestCounters_FromIntegers counts with what was stored as an integer, by clients
// that store one as decimal text.
func TestCounters_FromIntegers(t *testing.T) {
	each(t, []language{python, pylibmc, pymemcache, php}, func(t *testing.T, p pair) {
		p.theirs.set(t, "theirs", intOf(41))
		if n, err := p.ours.Increment(t.Context(), "theirs", 1); n != 42 || err != nil {
			t.Errorf("Increment of their integer = %d, %v, want 42", n, err)
		}
		if got := p.theirs.get(t, "theirs"); !same(got, intOf(42)) {
			t.Errorf("they read %s, want the integer 42", short(got))
		}
		p.write(t, "ours", 41)
		if got := p.theirs.number(t, "incr", "ours", 1, 0); got != "42" {
			t.Errorf("their incr of our integer = %s, want 42", got)
		}
		var v any
		if p.read(t, "ours", &v); v != int64(42) {
			t.Errorf("this client reads %s, want the integer 42", short(v))
		}
	})
}

// TestCounters_OfWhatIsNone says that packed and marshaled integers are none.
func TestCounters_OfWhatIsNone(t *testing.T) {
	each(t, []language{ruby, java}, func(t *testing.T, p pair) {
		p.theirs.set(t, "theirs", intOf(41))
		if n, err := p.ours.Increment(t.Context(), "theirs", 1); !errors.Is(err, memcached.ErrNotNumber) {
			t.Errorf("Increment of their integer = %d, %v, want ErrNotNumber", n, err)
		}
	})
}
