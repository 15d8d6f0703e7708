package memcached

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// safeKeyMark stands before the hash in the hashed form of SafeKey. Whatever
// contains it is hashed too, so that no string can pass for the hash of another.
const safeKeyMark = "~sha256~"

// SafeKey returns a valid key for any s: prefix+s if that is a valid key,
// otherwise prefix and a SHA-256 of both. Equal arguments give equal keys. With
// one prefix, different s give different keys, even when s is itself a result of
// SafeKey. A prefix that cannot begin a key (too long, or with spaces or control
// characters) becomes part of the hash.
func SafeKey(prefix, s string) string {
	if key := prefix + s; validKey(key) && !strings.Contains(key, safeKeyMark) {
		return key
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%d\n%s%s", len(prefix), prefix, s)
	digest := base64.RawURLEncoding.EncodeToString(sum.Sum(nil))
	if key := prefix + safeKeyMark + digest; validKey(key) {
		return key
	}
	return safeKeyMark + digest
}

// validKey reports whether key is 1 to 250 bytes without spaces and control
// characters. The binary protocol takes any bytes, but such keys are out of
// reach for everything that speaks the text protocol.
func validKey(key string) bool {
	if len(key) == 0 || len(key) > wire.MaxKeyLen {
		return false
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] == 0x7f {
			return false
		}
	}
	return true
}
