package session

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"
)

func sampleRecord() *record {
	return &record{
		created:   time.UnixMilli(1700000000123),
		cookieEnd: time.UnixMilli(1700000999000),
		until:     time.UnixMilli(1700000998000),
		maxAge:    3600,
		user:      "ada@example.test",
		handle:    handle{1, 2, 3},
		from:      id{4},
		values:    values{"\x03k": "\x02", "\x03l": "\x03value"},
	}
}

// reread is what comes of a record that is stored and loaded.
func reread(data []byte) (*record, error) {
	r, err := decodeRecord(string(data))
	if err == nil {
		err = r.parse()
	}
	if err != nil {
		return nil, err
	}
	r.encoded = ""
	return &r, nil
}

func TestRecord_ComesBackAsItWas(t *testing.T) {
	for name, want := range map[string]*record{
		"full":  sampleRecord(),
		"empty": {created: time.UnixMilli(1), values: values{}},
	} {
		got, err := reread(want.encode())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: decodeRecord = %+v, %v, want %+v", name, got, err, want)
		}
	}
}

func TestDecodeRecord_RefusesEveryTruncation(t *testing.T) {
	full := sampleRecord().encode()
	valid := map[int]bool{}
	for _, part := range []values{nil, {"\x03k": "\x02"}} { // the end of a value, which nothing but the seal can tell
		head := sampleRecord()
		head.values = part
		valid[len(head.encode())] = true
	}
	for n := range full {
		if _, err := reread(full[:n]); !valid[n] && !errors.Is(err, ErrDecode) {
			t.Errorf("decodeRecord of %d of %d bytes: %v, want ErrDecode", n, len(full), err)
		}
	}
}

func TestRecord_End(t *testing.T) {
	created := time.UnixMilli(1700000000000)
	r, s := &record{created: created}, &Store{opts: Options{AbsoluteTimeout: time.Hour}, absoluteChosen: true}
	if got, want := s.end(r), created.Add(time.Hour); !got.Equal(want) {
		t.Errorf("end = %v, want %v", got, want)
	}
	r.cookieEnd = created.Add(time.Minute)
	if got := s.end(r); !got.Equal(r.cookieEnd) {
		t.Errorf("end with a cookie of a minute = %v, want %v", got, r.cookieEnd)
	}
	r.cookieEnd = created.Add(2 * time.Hour)
	if got, want := s.end(r), created.Add(time.Hour); !got.Equal(want) {
		t.Errorf("end with a cookie of two hours = %v, want %v", got, want)
	}
}

func FuzzDecodeRecord(f *testing.F) {
	f.Add(sampleRecord().encode())
	f.Add([]byte{})
	f.Add([]byte{2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 3, 'k', 1, 1, 9})
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := reread(data)
		if err != nil {
			if !errors.Is(err, ErrDecode) {
				t.Fatalf("decodeRecord: %v, want ErrDecode", err)
			}
			return
		}
		again, err := reread(r.encode())
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Fatalf("decodeRecord of the encoding = %+v, %v, want %+v", again, err, r)
		}
		for k, v := range r.values {
			_ = decodeInto(map[any]any{}, k, v, JSON{})
		}
	})
}

func FuzzDecodeValue(f *testing.F) {
	for _, v := range []any{nil, true, "s", 1, int64(2), uint64(3), 0.5, []byte("b"), someTime, []any{"a", []any{1}}, map[string]any{"$int": 1}, account{"x"}} {
		for _, codec := range []Codec{gobCodec{}, JSON{}} {
			if data, err := appendValue(nil, v, codec, 0); err == nil {
				f.Add(data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := decodeValue(string(data), JSON{}, 0)
		if err != nil {
			if !errors.Is(err, ErrDecode) {
				t.Fatalf("decodeValue: %v, want ErrDecode", err)
			}
			return
		}
		encoded, err := appendValue(nil, v, JSON{}, 0)
		if err != nil {
			t.Fatalf("appendValue(%#v): %v", v, err)
		}
		again, err := decodeValue(string(encoded), JSON{}, 0)
		if err != nil {
			t.Fatalf("decodeValue of the encoding of %#v: %v", v, err)
		}
		if twice, err := appendValue(nil, again, JSON{}, 0); err != nil || !bytes.Equal(twice, encoded) {
			t.Fatalf("encoding twice = %x, %v, want %x", twice, err, encoded)
		}
		_, _ = decodeValue(string(data), gobCodec{}, 0)
	})
}
