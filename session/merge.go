package session

import (
	"errors"
	"maps"
	"slices"
)

// merge is a three-way merge: it applies what this request changed, from seen to
// ours, to what is stored by now. Keys that the request left alone keep what is
// stored; keys that it changed get its values. changed reports whether the
// result differs from stored.
//
// Lists ([]any: flash messages, as gorilla keeps them) are merged by element:
// what was added on both sides stays, and taking what another request has
// already taken is a conflict, so that a message is delivered once. Then the
// error is ErrConflict and conflicts has the keys.
func merge(seen, ours, stored values, codec Codec) (merged values, changed bool, conflicts []string, err error) {
	merged = make(values, len(stored)+len(ours))
	maps.Copy(merged, stored)
	for k := range union(seen, ours) {
		before, now, there := seen[k], ours[k], stored[k]
		if before != "" && now != "" && sameValue(before, now, codec) {
			continue
		}
		next, err := mergeKey(before, now, there, codec)
		switch {
		case errors.Is(err, ErrConflict):
			conflicts = append(conflicts, k)
		case err != nil:
			return nil, false, nil, err
		case next == "" && there == "":
		case next == "":
			delete(merged, k)
			changed = true
		case there == "" || !sameValue(there, next, codec):
			merged[k] = next
			changed = true
		}
	}
	if len(conflicts) > 0 {
		return nil, false, conflicts, ErrConflict
	}
	return merged, changed, nil, nil
}

// mergeKey merges one key that this request changed. An empty string, which
// encodes nothing, stands for no value.
func mergeKey(before, now, there string, codec Codec) (string, error) {
	lists := (before == "" || isList(before)) && (now == "" || isList(now)) && (there == "" || isList(there))
	if !lists {
		return now, nil
	}
	return mergeLists(before, now, there, codec)
}

// union yields each key of a and b once.
func union(a, b values) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range a {
			if !yield(k) {
				return
			}
		}
		for k := range b {
			if _, both := a[k]; !both && !yield(k) {
				return
			}
		}
	}
}

func isList(encoded string) bool { return len(encoded) > 0 && encoded[0] == kindList }

// mergeLists merges what this request and others made of the list before.
func mergeLists(before, ours, stored string, codec Codec) (string, error) {
	was, err := elementsOf(before)
	if err != nil {
		return "", err
	}
	kept, added, err := since(was, ours, codec)
	if err != nil {
		return "", err
	}
	keptThere, addedThere, err := since(was, stored, codec)
	if err != nil {
		return "", err
	}
	if !kept && !keptThere && len(was) > 0 {
		return "", ErrConflict
	}
	var all []string
	if kept && keptThere {
		all = was
	}
	all = slices.Concat(all, addedThere, added)
	if len(all) == 0 && ours == "" {
		return "", nil
	}
	return joinElements(all), nil
}

// since tells what became of a list: whether its elements were kept, in front,
// and which were added.
func since(was []string, list string, codec Codec) (kept bool, added []string, err error) {
	now, err := elementsOf(list)
	if err != nil {
		return false, nil, err
	}
	same := func(a, b string) bool { return sameValue(a, b, codec) }
	if len(now) >= len(was) && slices.EqualFunc(now[:len(was)], was, same) {
		return true, now[len(was):], nil
	}
	return false, now, nil
}

func elementsOf(list string) ([]string, error) {
	if list == "" {
		return nil, nil
	}
	return splitElements(list[1:])
}
