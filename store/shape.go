package store

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
)

var (
	marshaler       = reflect.TypeFor[json.Marshaler]()
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	unmarshaler     = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// shape is what encoding/json does to the values of a type.
type shape struct {
	err  error // it would lose a field
	anys bool  // they have room for an any
}

// visit is a type, in a place that JSON decodes again into that type or into an
// any, and where encoding/json sees methods of pointers or not.
type visit struct {
	t           reflect.Type
	typed       bool
	addressable bool
}

var shapes sync.Map // visit to shape

// shapeOf returns the shape of a type: of values that are decoded into it if
// typed is set, and otherwise of values in an any.
func shapeOf(t reflect.Type, typed bool) shape {
	root := visit{t, typed, typed}
	if s, ok := shapes.Load(root); ok {
		return s.(shape)
	}
	var s shape
	s.add(root, make(map[visit]bool))
	shapes.Store(root, s)
	return s
}

// custom reports whether the type encodes and decodes itself.
func (v visit) custom() bool {
	pointer := reflect.PointerTo(v.t)
	encodes := v.t.Implements(marshaler) || v.t.Implements(textMarshaler) ||
		v.addressable && (pointer.Implements(marshaler) || pointer.Implements(textMarshaler))
	return encodes && (!v.typed || pointer.Implements(unmarshaler) || pointer.Implements(textUnmarshaler))
}

// add adds the shape of the type of v.
func (s *shape) add(v visit, seen map[visit]bool) {
	if seen[v] || v.t.Kind() != reflect.Interface && v.custom() {
		return
	}
	seen[v] = true
	switch v.t.Kind() {
	case reflect.Interface:
		s.anys = true
	case reflect.Pointer, reflect.Slice:
		s.add(visit{v.t.Elem(), v.typed, true}, seen)
	case reflect.Array:
		s.add(visit{v.t.Elem(), v.typed, v.addressable}, seen)
	case reflect.Map:
		s.add(visit{v.t.Elem(), v.typed, false}, seen)
	case reflect.Struct:
		for i := range v.t.NumField() {
			field := v.t.Field(i)
			if lost(&field) && s.err == nil {
				s.err = fmt.Errorf("%w: JSON would lose the field %s of %v: "+
					"export it, tag it `json:\"-\"` or set Options.Codec", ErrValueType, field.Name, v.t)
			}
			if encoded(&field) {
				s.add(visit{field.Type, v.typed, v.addressable}, seen)
			}
		}
	}
}

// lost reports whether encoding/json loses a field that has something to keep.
func lost(f *reflect.StructField) bool {
	switch {
	case f.IsExported() || f.Name == "_" || f.Tag.Get("json") == "-" || f.Type.Size() == 0:
		return false
	case f.Anonymous:
		return f.Type.Kind() != reflect.Struct // of a struct, the fields are kept
	default:
		return true
	}
}

// encoded reports whether encoding/json looks into a field.
func encoded(f *reflect.StructField) bool {
	return f.Tag.Get("json") != "-" &&
		(f.IsExported() || f.Anonymous && f.Type.Kind() == reflect.Struct)
}

// maxDepth is deeper than values are. Cycles are for encoding/json to refuse.
const maxDepth = 1000

// checkAnys checks the types of the values in anys.
func checkAnys(v reflect.Value, depth int) error {
	if depth > maxDepth || !v.IsValid() {
		return nil
	}
	switch v.Kind() {
	case reflect.Interface:
		if v.IsNil() {
			return nil
		}
		s := shapeOf(v.Elem().Type(), false)
		if s.err != nil || !s.anys {
			return s.err
		}
		return checkAnys(v.Elem(), depth+1)
	case reflect.Pointer:
		if !v.IsNil() {
			return checkAnys(v.Elem(), depth+1)
		}
	case reflect.Slice, reflect.Array:
		if !shapeOf(v.Type().Elem(), false).anys {
			return nil
		}
		for i := range v.Len() {
			if err := checkAnys(v.Index(i), depth+1); err != nil {
				return err
			}
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			if err := checkAnys(it.Value(), depth+1); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); encoded(&field) && shapeOf(field.Type, false).anys {
				if err := checkAnys(v.Field(i), depth+1); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
