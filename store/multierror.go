package store

import (
	"errors"
	"maps"
	"slices"

	"github.com/bmemcached/bmemcached-go/binary"
)

// The client's errors are by key on the server; the store's are by the name that
// the caller knows. keys[i] is the key of names[i].

// byName returns err with the names of its keys.
func byName(err error, keys, names []string) error {
	failed := make(map[string]error)
	if err == nil || !collect(failed, err, keys, names) || len(failed) == 0 {
		return err
	}
	return &memcached.MultiError{Errors: failed}
}

// collect adds the errors in err to failed, by name. It returns false if err is
// not by key.
func collect(failed map[string]error, err error, keys, names []string) bool {
	if err == nil {
		return true
	}
	var byKey *memcached.MultiError
	if !errors.As(err, &byKey) {
		return false
	}
	for i, key := range keys {
		if cause := byKey.Errors[key]; cause != nil {
			failed[names[i]] = cause
		}
	}
	return true
}

// keyError returns the part of err that is about key.
func keyError(err error, key string) error {
	var byKey *memcached.MultiError
	if errors.As(err, &byKey) {
		return byKey.Errors[key]
	}
	return err
}

// anyError returns one of the errors of a MultiError, and others as they are.
func anyError(err error) error {
	var byKey *memcached.MultiError
	if errors.As(err, &byKey) && len(byKey.Errors) > 0 {
		return byKey.Errors[slices.Min(slices.Collect(maps.Keys(byKey.Errors)))]
	}
	return err
}
