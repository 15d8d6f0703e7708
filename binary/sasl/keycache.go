package sasl

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"hash"
	"sync"
)

// keyCache remembers the keys that were derived from a password, because the
// derivation is slow on purpose: 4,096 iterations take about a millisecond, and
// servers may ask for far more. Cyrus keeps a user's salt as long as it runs, to
// make this possible.
//
// It does not keep passwords but derived keys, which are worth as much to
// whoever reads them on the same server; it lives as long as its mechanism.
type keyCache struct {
	mu   sync.Mutex // guards byID
	byID map[keyID]*scramKeys
}

// maxKeys bounds a keyCache: the keys of each server of a large fleet. When it
// is full any one makes room, and at worst is derived again.
const maxKeys = 256

// keyID is everything that keys depend on. The password enters as a hash, so
// that one that was rotated away is not kept.
type keyID struct {
	mechanism  string
	password   [sha256.Size]byte
	salt       string
	iterations int
}

// scramKeys are the two keys that an exchange needs (RFC 5802 section 3).
type scramKeys struct {
	once           sync.Once
	client, server []byte
	err            error
}

func newKeyCache() *keyCache { return &keyCache{byID: map[keyID]*scramKeys{}} }

// get returns the keys of v for a password, and derives them at most once for
// all callers that ask at the same time.
func (c *keyCache) get(v *scramVariant, password, salt string, iterations int) (*scramKeys, error) {
	id := keyID{string(v.label), sha256.Sum256([]byte(password)), salt, iterations}
	c.mu.Lock()
	keys, ok := c.byID[id]
	if !ok {
		c.makeRoom()
		keys = &scramKeys{}
		c.byID[id] = keys
	}
	c.mu.Unlock()
	keys.once.Do(func() { keys.derive(v.newHash, password, salt, iterations) })
	return keys, keys.err
}

// makeRoom drops the keys of any one server if the cache is full. c.mu is held.
func (c *keyCache) makeRoom() {
	if len(c.byID) < maxKeys {
		return
	}
	for id := range c.byID {
		delete(c.byID, id)
		return
	}
}

func (k *scramKeys) derive(newHash func() hash.Hash, password, salt string, iterations int) {
	salted, err := pbkdf2.Key(newHash, password, []byte(salt), iterations, newHash().Size())
	if err != nil {
		k.err = err
		return
	}
	k.client = mac(newHash, salted, "Client Key")
	k.server = mac(newHash, salted, "Server Key")
}

// mac is HMAC(key, message).
func mac(newHash func() hash.Hash, key []byte, message string) []byte {
	m := hmac.New(newHash, key)
	m.Write([]byte(message))
	return m.Sum(nil)
}
