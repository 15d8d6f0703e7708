package convert

import "reflect"

// setList decodes a slice, of elements of whatever type, into a slice.
func (c *converter) setList(dst, list reflect.Value) error {
	if dst.Kind() != reflect.Slice {
		return mismatch(dst, list.Interface())
	}
	out := reflect.MakeSlice(dst.Type(), list.Len(), list.Len())
	for i := range list.Len() {
		if err := c.set(out.Index(i), list.Index(i).Interface()); err != nil {
			return err
		}
	}
	dst.Set(out)
	return nil
}

// setMap decodes a map into a map, converting its keys as well: hooks may return
// maps with keys of any type.
func (c *converter) setMap(dst, m reflect.Value) error {
	if dst.Kind() != reflect.Map || dst.Type().Key().Kind() != reflect.String {
		return mismatch(dst, m.Interface())
	}
	out := reflect.MakeMapWithSize(dst.Type(), m.Len())
	for it := m.MapRange(); it.Next(); {
		k := it.Key()
		if k.Kind() == reflect.Interface {
			k = k.Elem()
		}
		if k.Kind() != reflect.String {
			return mismatch(dst, m.Interface())
		}
		elem := reflect.New(dst.Type().Elem()).Elem()
		if err := c.set(elem, it.Value().Interface()); err != nil {
			return err
		}
		out.SetMapIndex(k.Convert(dst.Type().Key()), elem)
	}
	dst.Set(out)
	return nil
}
