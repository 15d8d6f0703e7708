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

// Apply does to h what the handler did. The values that h gets are copies, appended to
// room, which is returned: several requests may apply the same fields, and what is above
// the cache may change its header in place. Whoever appends to them makes a copy.
func Apply(h http.Header, fields []Field, room []string) []string {
	for i := range fields {
		f := &fields[i]
		there := h[f.Name]
		switch {
		case f.Mode == Remove:
			delete(h, f.Name)
		case f.Mode == Add:
			h[f.Name] = append(there, f.Values...)
		case f.Mode == Join && len(there) > 0:
			h[f.Name] = join(there, f.Values)
		default:
			start := len(room)
			room = append(room, f.Values...)
			h[f.Name] = room[start:len(room):len(room)]
		}
	}
	return room
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

// decodeFields reads what appendFields wrote. Names and values are parts of s: a whole
// header costs three allocations, and one where e, which may have been used before, has
// room.
func (e *Entry) decodeFields(s string) error {
	d := stringDecoder{rest: s}
	n := d.count(min(len(s)/3, maxFields))
	fields := slices.Grow(e.Fields[:0], n)
	all := d.count(min(len(s), maxFields))
	values := slices.Grow(e.values[:0], all)
	e.Fields, e.values = nil, values
	for range n {
		f := Field{Mode: Mode(d.byte()), Name: d.framed()}
		start := len(values)
		for range d.count(all - start) {
			values = append(values, d.framed())
		}
		f.Values = values[start:len(values):len(values)]
		fields = append(fields, f)
		if f.Mode != Set && f.Mode != Add && f.Mode != Join && f.Mode != Remove {
			return ErrGarbage
		}
	}
	if d.bad || d.rest != "" || len(values) != all {
		return ErrGarbage
	}
	e.Fields = fields
	return nil
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
