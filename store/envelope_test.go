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
			got, err := parseEnvelope(want.bytes())
			if err != nil || !reflect.DeepEqual(*got, want) {
				t.Errorf("parseEnvelope(bytes) = %+v, %v, want %+v", got, err, want)
			}
		})
	}
}

func TestParseEnvelope_RefusesWhatBytesCannotReturn(t *testing.T) {
	stored := (&envelope{
		form: form{class: classNative, kind: kindBytes},
		tags: []tagVersion{{"tag", 7}, {"other", 8}}, data: []byte("v"),
	}).bytes()
	header := len(stored) - len("v")
	for n := range header {
		if _, err := parseEnvelope(stored[:n]); !errors.Is(err, ErrCorrupt) {
			t.Errorf("parseEnvelope of the first %d bytes = %v, want ErrCorrupt", n, err)
		}
	}
	long := (&envelope{tags: []tagVersion{{strings.Repeat("k", maxKeyLen+1), 7}}}).bytes()
	if e, err := parseEnvelope(long); !errors.Is(err, ErrCorrupt) {
		t.Errorf("parseEnvelope of a tag above %d bytes = %+v, %v, want ErrCorrupt", maxKeyLen, e, err)
	}
	many := make([]tagVersion, maxTags+1)
	for i := range many {
		many[i].key = "t"
	}
	if _, err := parseEnvelope((&envelope{tags: many[1:]}).bytes()); err != nil {
		t.Errorf("parseEnvelope of %d tags = %v", maxTags, err)
	}
	if _, err := parseEnvelope((&envelope{tags: many}).bytes()); !errors.Is(err, ErrCorrupt) {
		t.Errorf("parseEnvelope of %d tags = %v, want ErrCorrupt", len(many), err)
	}
	for name, change := range map[string]func(b []byte){
		"newer version": func(b []byte) { b[0] = 2 },
		"unknown class": func(b []byte) { b[1] = 4 },
		"nested":        func(b []byte) { b[2] = byte(kindEnvelope) },
		"count":         func(b []byte) { b[envelopeHead] = 0x7f },
		"long tag":      func(b []byte) { b[envelopeHead+1] = 0x7f },
		"empty tag":     func(b []byte) { b[envelopeHead+1] = 0 },
		"space in tag":  func(b []byte) { b[envelopeHead+2] = ' ' },
		"DEL in tag":    func(b []byte) { b[envelopeHead+2] = 0x7f },
	} {
		b := bytes.Clone(stored)
		change(b)
		if e, err := parseEnvelope(b); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: parseEnvelope = %+v, %v, want ErrCorrupt", name, e, err)
		}
	}
}

func FuzzParseEnvelope(f *testing.F) {
	f.Add([]byte{})
	f.Add((&envelope{form: form{class: classNative}, data: []byte("v")}).bytes())
	f.Add((&envelope{tags: []tagVersion{{"tag", 7}, {"t", 8}}, data: []byte("v")}).bytes())
	f.Add([]byte{1, 2, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := parseEnvelope(b)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Errorf("parseEnvelope = %v, want ErrCorrupt", err)
			}
			return
		}
		again, err := parseEnvelope(e.bytes())
		if err != nil || !reflect.DeepEqual(again, e) {
			t.Errorf("parseEnvelope(bytes(%+v)) = %+v, %v", e, again, err)
		}
	})
}
