package store

import (
	"fmt"
	"strings"

	"github.com/bmemcached/bmemcached-go/binary"
)

// The store's own counters have keys that no key of a user maps to. What
// SafeKey cannot pass on as it is, it hashes, and it never passes on a zero
// byte: names that start with one are all hashed, each kind of name under its
// own start.
const (
	reserved        = "\x00"
	tagStart        = reserved + "tag" + reserved
	generationStart = reserved + "generation" + reserved
	escapedStart    = reserved + "key" + reserved // a user's key that starts with a zero byte
)

// itemKey returns the key of a user's item on the server: prefix and key as
// they are where memcached permits, a hash otherwise.
func itemKey(prefix, key string) string {
	if strings.HasPrefix(key, reserved) {
		key = escapedStart + key
	}
	return memcached.SafeKey(prefix, key)
}

func tagKey(prefix, tag string) string { return memcached.SafeKey(prefix, tagStart+tag) }

func generationKey(prefix string) string { return memcached.SafeKey(prefix, generationStart) }

// keyString returns key if it is a string.
func keyString(key any) (string, error) {
	if s, ok := key.(string); ok {
		return s, nil
	}
	return "", fmt.Errorf("%w: %T", ErrKeyType, key)
}

// maxKeyLen is memcached's limit in bytes.
const maxKeyLen = 250
