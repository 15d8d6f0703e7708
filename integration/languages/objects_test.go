package languages_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/bmemcached"
	"github.com/bmemcached/bmemcached-go/binary/codec/dalli"
	"github.com/bmemcached/bmemcached-go/binary/codec/phpmemcached"
	"github.com/bmemcached/bmemcached-go/binary/codec/spymemcached"
)

// objects is the formats of objects, with the flags that say that a value is one.
func objects() []struct {
	language
	format string
	flags  uint32
} {
	serializer := func(name string) language {
		return php.with(name, args{"OPT_SERIALIZER": "SERIALIZER_" + strings.ToUpper(name)}, phpmemcached.Codec{})
	}
	return []struct {
		language
		format string
		flags  uint32
	}{
		{python, "pickle", bmemcached.FlagPickle},
		{pylibmc, "pickle", bmemcached.FlagPickle},
		{pymemcache, "pickle", bmemcached.FlagPickle},
		{ruby, "ruby marshal", dalli.FlagSerialized},
		{java, "java serialization", spymemcached.FlagSerialized},
		{serializer("php"), "php serialize", phpmemcached.TypeSerialized},
		{serializer("igbinary"), "igbinary", phpmemcached.TypeIgbinary},
		{serializer("msgpack"), "msgpack", phpmemcached.TypeMsgpack},
		{ruby.newer(), "ruby marshal", dalli.FlagSerialized},
		{serializer("igbinary").newer(), "igbinary", phpmemcached.TypeIgbinary},
		{serializer("msgpack").newer(), "msgpack", phpmemcached.TypeMsgpack},
	}
}

// TestObjects has each client store objects of a class, which this client must
// not try to understand: it names their format and hands out their bytes, from
// which the other language makes the same object again.
func TestObjects(t *testing.T) {
	many := make([]value, 5000)
	for i := range many {
		many[i] = objectOf(i, -i)
	}
	formats := map[string]string{}
	flags := map[string]uint32{}
	var some []language
	for _, o := range objects() {
		some = append(some, o.language)
		formats[o.name], flags[o.name] = o.format, o.flags
	}
	each(t, some, func(t *testing.T, p pair) {
		for name, object := range map[string]value{"one": objectOf(3, -4), "many": listOf(many...)} {
			p.theirs.set(t, name, object)
			data := p.object(t, name, formats[p.name])
			back := &memcached.Item{Key: "back", Value: data, Flags: flags[p.name]}
			if err := p.ours.Set(t.Context(), back); err != nil {
				t.Fatal(err)
			}
			if got := p.theirs.get(t, "back"); !same(got, object) {
				t.Errorf("%s: they read %s, want %s", name, short(got), short(object))
			}
		}
	})
}

// object reads an object's bytes out of the error that it gives.
func (p pair) object(t *testing.T, key, format string) []byte {
	t.Helper()
	item, err := p.ours.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	err = p.codec.Decode(item.Value, item.Flags, &v)
	object, ok := errors.AsType[*codec.ObjectError](err)
	if !ok || !errors.Is(err, codec.ErrObject) || v != nil {
		t.Fatalf("%s: Decode = %s, %v, want an ObjectError", key, short(v), err)
	}
	if object.Format != format {
		t.Errorf("%s: format = %q, want %q", key, object.Format, format)
	}
	if strings.Contains(err.Error(), "Point") {
		t.Errorf("%s: the error shows the value: %v", key, err)
	}
	return object.Data
}

// TestObjects_Pickle has Python's pickles reach the hook, from both clients.
func TestObjects_Pickle(t *testing.T) {
	var seen []byte
	unpickle := func(data []byte) (any, error) {
		seen = bytes.Clone(data)
		return "decoded", nil
	}
	hooked := []language{
		python.with("hooked", nil, bmemcached.Codec{Unpickle: unpickle}),
		pylibmc.with("hooked", nil, bmemcached.Pylibmc{Unpickle: unpickle}),
	}
	plain := map[string]codec.Codec{hooked[0].name: bmemcached.Codec{}, hooked[1].name: bmemcached.Pylibmc{}}
	each(t, hooked, func(t *testing.T, p pair) {
		p.theirs.set(t, "pickle", listOf(intOf(1), floatOf(3.5)))
		var got string
		p.read(t, "pickle", &got)
		if got != "decoded" || !bytes.HasSuffix(seen, []byte(".")) { // STOP ends a pickle
			t.Errorf("Decode = %q with the pickle %q", got, seen)
		}
		p.codec = plain[p.name]
		if got := p.object(t, "pickle", "pickle"); !bytes.Equal(got, seen) {
			t.Errorf("the error has the pickle %q, the hook got %q", got, seen)
		}
	})
}
