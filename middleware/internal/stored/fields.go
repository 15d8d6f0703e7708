package stored

import (
	"encoding/binary"
	"net/http"
	"slices"
	"strings"
)

// Field is one line of what a handler did to the header, relative to what the
// middleware before the cache had put there.
type Field struct {
	Name   string
	Mode   Mode
	Values []string
}

// Mode is what was done to the values of a field.
type Mode byte

const (
	// Set: these values and no others.
	Set Mode = 's'
	// Add: these values after those that are there.
	Add Mode = 'a'
	// Remove: no values.
	Remove Mode = 'r'
	// Join: these values, and those that are there: of a list to which several
	// contribute, of which nothing was there when the response was stored.
	Join Mode = 'j'
)

// Only returns a field that is set to one value.
func Only(name, value string) Field {
	return Field{Name: name, Mode: Set, Values: []string{value}}
}

// Delta returns how after came from before, sorted by name.
func Delta(before, after http.Header, skip func(name string) bool) []Field {
	var fields []Field
	for name, values := range after {
		if skip(name) {
			continue
		}
		had, was := before[name]
		switch {
		case slices.Equal(had, values) && was:
		case len(had) > 0 && len(values) > len(had) && slices.Equal(had, values[:len(had)]):
			fields = append(fields, Field{name, Add, slices.Clone(values[len(had):])})
		case len(had) == 0 && isJoint(name):
			fields = append(fields, Field{name, Join, slices.Clone(values)})
		default:
			fields = append(fields, Field{name, Set, slices.Clone(values)})
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok && !skip(name) {
			fields = append(fields, Field{Name: name, Mode: Remove})
		}
	}
	slices.SortFunc(fields, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return fields
}

// Apply does to h what the handler did. The values are those of fields; their
// capacity is bounded so that whoever appends makes a copy.
func Apply(h http.Header, fields []Field) {
	for _, f := range fields {
		switch f.Mode {
		case Set:
			h[f.Name] = f.Values
		case Add:
			h[f.Name] = append(h[f.Name], f.Values...)
		case Join:
			h[f.Name] = join(h[f.Name], f.Values)
		case Remove:
			delete(h, f.Name)
		}
	}
}

// isJoint reports whether a field is a list to which several layers contribute.
func isJoint(name string) bool {
	switch name {
	case "Vary", "Cache-Control", "Link", "Set-Cookie":
		return true
	}
	return false
}

// join returns what is there, and values that are not.
func join(there, values []string) []string {
	if len(there) == 0 {
		return values
	}
	joined := slices.Clip(there)
	for _, value := range values {
		if !slices.Contains(there, value) {
			joined = append(joined, value)
		}
	}
	return joined
}

func appendFields(b []byte, fields []Field) []byte {
	n := 0
	for _, f := range fields {
		n += len(f.Values)
	}
	b = binary.AppendUvarint(b, uint64(len(fields)))
	b = binary.AppendUvarint(b, uint64(n))
	for _, f := range fields {
		b = append(b, byte(f.Mode))
		b = AppendFramed(b, f.Name)
		b = binary.AppendUvarint(b, uint64(len(f.Values)))
		for _, v := range f.Values {
			b = AppendFramed(b, v)
		}
	}
	return b
}

// decodeFields reads what appendFields wrote. Names and values are parts of s:
// a whole header costs three allocations.
func decodeFields(s string) ([]Field, error) {
	d := stringDecoder{rest: s}
	fields := make([]Field, 0, d.count(min(len(s)/3, maxFields)))
	values := make([]string, 0, d.count(min(len(s), maxFields)))
	for range cap(fields) {
		f := Field{Mode: Mode(d.byte()), Name: d.framed()}
		start := len(values)
		for range d.count(cap(values) - start) {
			values = append(values, d.framed())
		}
		f.Values = values[start:len(values):len(values)]
		fields = append(fields, f)
		if f.Mode != Set && f.Mode != Add && f.Mode != Join && f.Mode != Remove {
			return nil, ErrGarbage
		}
	}
	if d.bad || d.rest != "" || len(values) != cap(values) {
		return nil, ErrGarbage
	}
	return fields, nil
}

// Merge returns fields with those replaced that update names. What update removes stays
// as it is stored: a response that confirms another need not repeat it.
func Merge(fields, update []Field) []Field {
	merged := make([]Field, 0, len(fields)+len(update))
	for _, f := range fields {
		if !slices.ContainsFunc(update, func(u Field) bool { return u.Name == f.Name && u.Mode != Remove }) {
			merged = append(merged, f)
		}
	}
	for _, u := range update {
		if u.Mode != Remove {
			merged = append(merged, u)
		}
	}
	return merged
}
