package convert

import "reflect"

// setList decodes list into a slice.
func setList(dst reflect.Value, list []any) error {
	if dst.Kind() != reflect.Slice {
		return mismatch(dst, list)
	}
	out := reflect.MakeSlice(dst.Type(), len(list), len(list))
	for i, v := range list {
		if err := set(out.Index(i), v); err != nil {
			return err
		}
	}
	dst.Set(out)
	return nil
}

// setMap decodes m into a map with keys of a string type.
func setMap(dst reflect.Value, m map[string]any) error {
	if dst.Kind() != reflect.Map || dst.Type().Key().Kind() != reflect.String {
		return mismatch(dst, m)
	}
	out := reflect.MakeMapWithSize(dst.Type(), len(m))
	for k, v := range m {
		elem := reflect.New(dst.Type().Elem()).Elem()
		if err := set(elem, v); err != nil {
			return err
		}
		out.SetMapIndex(reflect.ValueOf(k).Convert(dst.Type().Key()), elem)
	}
	dst.Set(out)
	return nil
}
