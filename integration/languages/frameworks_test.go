package languages_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/codec/dalli"
	"github.com/bmemcached/bmemcached-go/binary/codec/phpmemcached"
	"github.com/bmemcached/bmemcached-go/binary/placement"
)

// Frameworks that make keys of their own, over the clients of trixie.
var (
	rails = language{
		name:    "rails",
		command: []string{"ruby", "rails.rb"},
		codec:   dalli.Codec{Serializer: dalli.Raw},
		place:   placing{"Dalli", placement.Dalli},
		release: trixie,
		noSASL:  true, // Dalli 5, which Rails is used with as well, cannot
	}
	laravel = language{
		name:    "laravel",
		command: []string{"php", "laravel.php"},
		codec:   phpmemcached.Codec{},
		place:   placing{"PHPMemcached", placement.PHPMemcached},
		release: trixie,
	}
	symfony = language{
		name:    "symfony",
		command: []string{"php", "symfony.php"},
		codec:   phpmemcached.Codec{},
		place:   ketama,
		release: trixie,
	}
)

// manage connects both sides to three servers.
func (l language) manage(t *testing.T, options args) fleet {
	t.Helper()
	l.options = options
	return l.join(t, nil, l.start(t, 3)...)
}

// user is what the frameworks store.
func user(i int) map[string]any {
	return map[string]any{"name": "Zoë", "visits": int64(i), "tags": []any{"a", "b"}}
}

// TestRails shares values that Rails stores raw.
func TestRails(t *testing.T) {
	f := rails.manage(t, args{"namespace": "shop"})
	for i := range 50 {
		theirs, key := fmt.Sprintf("user %d%%é", i), fmt.Sprintf("shop:user%%20%d%%25%%C3%%A9", i)
		f.theirs.done(t, "set", args{"key": theirs, "value": "theirs"})
		var got string
		if f.read(t, key, &got); got != "theirs" {
			t.Errorf("%q: this client reads %q, want theirs", key, got)
		}
		f.write(t, key, "ours")
		if f.theirs.must(t, "get", args{"key": theirs}, &got); got != "ours" {
			t.Errorf("%q: Rails reads %q, want ours", theirs, got)
		}
	}
	var n int
	if f.theirs.must(t, "incr", args{"key": "hits", "by": 5}, &n); n != 5 {
		t.Errorf("their increment = %d, want 5", n)
	}
	if n, err := f.ours.Increment(t.Context(), "shop:hits", 2); n != 7 || err != nil {
		t.Errorf("Increment = %d, %v, want 7", n, err)
	}
	if !f.theirs.done(t, "delete", args{"key": "hits"}) {
		t.Error("their delete was refused")
	}
	f.wantMiss(t, "shop:hits")
}

// TestRails_EntriesAreBytes reads what Rails stores unless it is told that values are
// raw: a string in a format of its own, in both of which a zero comes first.
func TestRails_EntriesAreBytes(t *testing.T) {
	servers := rails.start(t, 1)
	for _, version := range []float64{7.0, 7.1} {
		l := rails
		l.options = args{"format_version": version}
		f := l.join(t, nil, servers...)
		f.theirs.done(t, "set", args{"key": "entry", "value": "v", "raw": false})
		item, err := f.ours.Get(t.Context(), "entry")
		if err != nil {
			t.Fatal(err)
		}
		var v any
		err = (dalli.Codec{}).Decode(item.Value, item.Flags, &v)
		if b, ok := v.([]byte); err != nil || !ok || len(b) == 0 || b[0] != 0 {
			t.Errorf("version %v: Decode = %q, %v, want bytes after a zero", version, v, err)
		}
	}
}

// TestLaravel shares what Laravel's cache stores.
func TestLaravel(t *testing.T) {
	f := laravel.manage(t, args{"prefix": "shop_"})
	var prefix string
	f.theirs.must(t, "prefix", nil, &prefix)
	if prefix != "shop_:" && prefix != "shop_" { // up to Laravel 10, and from 11 on
		t.Errorf("prefix = %q", prefix)
	}
	for i := range 50 {
		theirs := fmt.Sprintf("user:%d", i)
		f.theirs.done(t, "set", args{"key": theirs, "value": user(i)})
		var got map[string]any
		if f.read(t, prefix+theirs, &got); !reflect.DeepEqual(got, user(i)) {
			t.Errorf("%q: this client reads %v, want %v", theirs, got, user(i))
		}
		f.write(t, prefix+theirs, user(i+1))
		f.theirs.wantUser(t, theirs, i+1)
	}
	if _, err := f.ours.IncrementOrSet(t.Context(), prefix+"hits", 0, 5, time.Hour); err != nil {
		t.Fatal(err)
	}
	var n int
	if f.theirs.must(t, "incr", args{"key": "hits", "by": 2}, &n); n != 7 {
		t.Errorf("their increment = %d, want 7", n)
	}
	if !f.theirs.done(t, "delete", args{"key": "hits"}) {
		t.Error("their forget was refused")
	}
	f.wantMiss(t, prefix+"hits")
}

// wantUser fails the test unless the framework reads the user with so many visits.
func (d *driver) wantUser(t *testing.T, key string, visits int) {
	t.Helper()
	var got map[string]any
	d.must(t, "get", args{"key": key}, &got)
	want := user(visits)
	want["visits"] = float64(visits) // as JSON has it
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q: they read %v, want %v", key, got, want)
	}
}

// TestSymfony shares what a pool of Symfony stores: text in the format of serialize or
// igbinary, below a version of the pool's namespace that lies in memcached as well.
func TestSymfony(t *testing.T) {
	f := symfony.manage(t, args{"namespace": "shop"})
	f.theirs.done(t, "set", args{"key": "user.0", "value": user(0)})
	var version string
	f.readPooled(t, ":shop:", &version)
	if !strings.HasSuffix(version, ":") {
		t.Errorf("the version %q ends with no colon", version)
	}
	for i := range 50 {
		theirs := fmt.Sprintf("user.%d", i)
		key := "shop:" + version + theirs
		f.theirs.done(t, "set", args{"key": theirs, "value": user(i)})
		var got map[string]any
		if f.readPooled(t, key, &got); !reflect.DeepEqual(got, user(i)) {
			t.Errorf("%q: this client reads %v, want %v", theirs, got, user(i))
		}
		data, _, err := f.codec.Encode(user(i + 1))
		if err != nil {
			t.Fatal(err)
		}
		f.write(t, key, string(data))
		f.theirs.wantUser(t, theirs, i+1)
	}
	if !f.theirs.done(t, "delete", args{"key": "user.0"}) {
		t.Error("their delete was refused")
	}
	f.wantMiss(t, "shop:"+version+"user.0")
}

// readPooled reads a value in two steps: PHP has stored text.
func (f fleet) readPooled(t *testing.T, key string, v any) {
	t.Helper()
	var text string
	f.read(t, key, &text)
	format := phpmemcached.TypeSerialized
	if strings.HasPrefix(text, "\x00\x00\x00\x02") {
		format = phpmemcached.TypeIgbinary
	}
	if err := f.codec.Decode([]byte(text), format, v); err != nil {
		t.Fatalf("%q: Decode(%q) = %v", key, text, err)
	}
}
