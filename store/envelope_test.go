package store

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestEnvelope_RoundTrip(t *testing.T) {
	for name, want := range map[string]envelope{
		"no tags": {form: form{class: classNative, kind: kindString}, tags: []tagVersion{}, data: []byte("text")},
		"empty":   {form: form{class: classCodec, flags: 1<<32 - 1}, tags: []tagVersion{}, data: []byte{}},
		"tags": {
			form: form{class: classTyped, kind: kindInt64, flags: 4},
			tags: []tagVersion{{"a", 1}, {strings.Repeat("k", maxKeyLen), 1<<64 - 1}},
			data: bytes.Repeat([]byte{0, 1, 0xff}, 1000),
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := unseal(want.seal())
			if err != nil || !reflect.DeepEqual(*got, want) {
				t.Errorf("unseal(seal) = %+v, %v, want %+v", got, err, want)
			}
		})
	}
}

func TestUnseal_RefusesWhatSealCannotMake(t *testing.T) {
	sealed := (&envelope{
		form: form{class: classNative, kind: kindBytes},
		tags: []tagVersion{{"tag", 7}, {"other", 8}}, data: []byte("v"),
	}).seal()
	header := len(sealed) - len("v")
	for n := range header {
		if _, err := unseal(sealed[:n]); !errors.Is(err, ErrCorrupt) {
			t.Errorf("unseal of the first %d bytes = %v, want ErrCorrupt", n, err)
		}
	}
	long := (&envelope{tags: []tagVersion{{strings.Repeat("k", maxKeyLen+1), 7}}}).seal()
	if e, err := unseal(long); !errors.Is(err, ErrCorrupt) {
		t.Errorf("unseal of a tag above %d bytes = %+v, %v, want ErrCorrupt", maxKeyLen, e, err)
	}
	for name, change := range map[string]func(b []byte){
		"newer version": func(b []byte) { b[0] = 2 },
		"unknown class": func(b []byte) { b[1] = 4 },
		"nested":        func(b []byte) { b[2] = byte(kindEnvelope) },
		"count":         func(b []byte) { b[envelopeHead] = 0x7f },
		"long tag":      func(b []byte) { b[envelopeHead+1] = 0x7f },
		"empty tag":     func(b []byte) { b[envelopeHead+1] = 0 },
	} {
		b := bytes.Clone(sealed)
		change(b)
		if e, err := unseal(b); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: unseal = %+v, %v, want ErrCorrupt", name, e, err)
		}
	}
}

func FuzzUnseal(f *testing.F) {
	f.Add([]byte{})
	f.Add((&envelope{form: form{class: classNative}, data: []byte("v")}).seal())
	f.Add((&envelope{tags: []tagVersion{{"tag", 7}, {"t", 8}}, data: []byte("v")}).seal())
	f.Add([]byte{1, 2, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := unseal(b)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Errorf("unseal = %v, want ErrCorrupt", err)
			}
			return
		}
		again, err := unseal(e.seal())
		if err != nil || !reflect.DeepEqual(again, e) {
			t.Errorf("unseal(seal(%+v)) = %+v, %v", e, again, err)
		}
	})
}
