package middleware

import (
	"encoding/binary"
	"net/http"
	"slices"
	"strings"
)

// field is one line of what a handler did to the header, relative to what the
// middleware before the cache had put there.
type field struct {
	name   string
	mode   fieldMode
	values []string
}

type fieldMode byte

const (
	fieldSet    fieldMode = 's' // these values and no others
	fieldAdd    fieldMode = 'a' // these values after those that are there
	fieldRemove fieldMode = 'r'
)

// delta returns how after came from before, sorted by name.
func delta(before, after http.Header, skip func(string) bool) []field {
	var fields []field
	for name, values := range after {
		if skip(name) {
			continue
		}
		had := before[name]
		switch {
		case slices.Equal(had, values):
		case len(had) > 0 && len(values) > len(had) && slices.Equal(had, values[:len(had)]):
			fields = append(fields, field{name, fieldAdd, slices.Clone(values[len(had):])})
		default:
			fields = append(fields, field{name, fieldSet, slices.Clone(values)})
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok && !skip(name) {
			fields = append(fields, field{name: name, mode: fieldRemove})
		}
	}
	slices.SortFunc(fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return fields
}

// applyFields does to h what the handler did. The values are shared; their
// capacity is bounded so that whoever appends makes a copy.
func applyFields(h http.Header, fields []field) {
	for _, f := range fields {
		switch f.mode {
		case fieldSet:
			h[f.name] = f.values
		case fieldAdd:
			h[f.name] = append(h[f.name], f.values...)
		case fieldRemove:
			delete(h, f.name)
		}
	}
}

func appendFields(b []byte, fields []field) []byte {
	n := 0
	for _, f := range fields {
		n += len(f.values)
	}
	b = binary.AppendUvarint(b, uint64(len(fields)))
	b = binary.AppendUvarint(b, uint64(n))
	for _, f := range fields {
		b = append(b, byte(f.mode))
		b = appendFramed(b, f.name)
		b = binary.AppendUvarint(b, uint64(len(f.values)))
		for _, v := range f.values {
			b = appendFramed(b, v)
		}
	}
	return b
}

// decodeFields reads what appendFields wrote. Names and values are parts of s:
// a whole header costs three allocations.
func decodeFields(s string) ([]field, error) {
	d := stringDecoder{rest: s}
	fields := make([]field, 0, d.count(len(s)/3))
	values := make([]string, 0, d.count(len(s)))
	for range cap(fields) {
		f := field{mode: fieldMode(d.byte()), name: d.framed()}
		start := len(values)
		for range d.count(cap(values) - start) {
			values = append(values, d.framed())
		}
		f.values = values[start:len(values):len(values)]
		fields = append(fields, f)
		if f.mode != fieldSet && f.mode != fieldAdd && f.mode != fieldRemove {
			return nil, errGarbage
		}
	}
	if d.bad || d.rest != "" || len(values) != cap(values) {
		return nil, errGarbage
	}
	return fields, nil
}

// stringDecoder is decoder over a string.
type stringDecoder struct {
	rest string
	bad  bool
}

func (d *stringDecoder) uvarint() uint64 {
	var v uint64
	for i := 0; i < len(d.rest) && i < 9; i++ {
		c := d.rest[i]
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			d.rest = d.rest[i+1:]
			return v
		}
	}
	d.bad, d.rest = true, ""
	return 0
}

// count reads a number of elements, of which there can be at most limit.
func (d *stringDecoder) count(limit int) int {
	n := d.uvarint()
	if n > uint64(max(0, limit)) {
		d.bad, d.rest = true, ""
		return 0
	}
	return int(n)
}

func (d *stringDecoder) framed() string {
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		d.bad, d.rest = true, ""
		return ""
	}
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

func (d *stringDecoder) byte() byte {
	if d.rest == "" {
		d.bad = true
		return 0
	}
	c := d.rest[0]
	d.rest = d.rest[1:]
	return c
}
