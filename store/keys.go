package store

import (
	"fmt"
	"strings"

	"github.com/bmemcached/bmemcached-go/binary"
)

// The store's counters have keys that no user's key is mapped to. SafeKey hashes
// every name with a zero byte, and what is hashed begins differently for
// counters of tags, counters of generations, locks and users' keys.
const (
	reserved           = "\x00"
	reservedTag        = reserved + "tag" + reserved
	reservedGeneration = reserved + "generation" + reserved
	reservedLock       = reserved + "lock" + reserved
	reservedKey        = reserved + "key" + reserved // before a user's key that begins with a zero byte
)

// itemKey returns the key of an item on the server: prefix and key as they are
// if memcached permits, a hash otherwise.
func itemKey(prefix, key string) string {
	if strings.HasPrefix(key, reserved) {
		key = reservedKey + key
	}
	return memcached.SafeKey(prefix, key)
}

func tagKey(prefix, tag string) string { return memcached.SafeKey(prefix, reservedTag+tag) }

func generationKey(prefix string) string { return memcached.SafeKey(prefix, reservedGeneration) }

func itemKeys(prefix string, names []string) []string {
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = itemKey(prefix, name)
	}
	return keys
}

// keyString returns key as a string, or ErrKeyType.
func keyString(key any) (string, error) {
	if s, ok := key.(string); ok {
		return s, nil
	}
	return "", fmt.Errorf("%w: %T", ErrKeyType, key)
}

// maxKeyLen is memcached's limit in bytes.
const maxKeyLen = 250
