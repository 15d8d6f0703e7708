package session

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"sync"
)

// id is the secret that a cookie carries: 256 random bits.
type id [32]byte

func newID() (i id) {
	_, _ = rand.Read(i[:]) // never fails: the program ends instead (crypto/rand)
	return i
}

// prf is a pseudo-random function: HMAC-SHA-256 under one key. It keeps
// instances, because setting one up costs more than using it.
type prf struct{ pool sync.Pool }

// instance is what one derivation needs at a time.
type instance struct {
	mac hash.Hash
	buf []byte // what goes in, and what comes out
}

func newPRF(key []byte) *prf {
	p := new(prf)
	p.pool.New = func() any { return &instance{mac: hmac.New(sha256.New, key)} }
	return p
}

// derive is HKDF-Expand (RFC 5869) to 32 bytes, with prf's key as the
// pseudo-random key and label and input as the info.
func (p *prf) derive(label string, input []byte) [32]byte {
	i := p.pool.Get().(*instance)
	defer p.pool.Put(i)
	i.buf = append(append(append(i.buf[:0], label...), input...), 1)
	i.mac.Reset()
	i.mac.Write(i.buf)
	out := [32]byte(i.mac.Sum(i.buf[:0]))
	clear(i.buf[:cap(i.buf)])
	if cap(i.buf) > 1<<10 {
		i.buf = nil
	}
	return out
}

// extract turns a key of any length into one for newPRF.
func extract(secret []byte, salt string) []byte {
	key, _ := hkdf.Extract(sha256.New, secret, []byte(salt)) // fails in FIPS mode only, for less than 112 bits
	return key
}

// names derives what is not secret about an ID. It needs no server key, so
// that a record stays where it is when keys are rotated: an ID has 256 random
// bits, and nobody gets from its HMAC back to it.
var names = newPRF(extract([]byte("bmemcached-go session names v1"), ""))

// location is the key of an ID's record in memcached.
func (i id) location(prefix string) string { return encode32(prefix, names.derive("location", i[:])) }

// public is what Session.ID shows: it identifies the session, in logs for
// instance, and gives no access to it.
func (i id) public() string { return encode32("", names.derive("public", i[:])) }

// encode32 returns b in base64 behind a prefix.
func encode32(prefix string, b [32]byte) string {
	text := make([]byte, 0, 128)
	return string(base64.RawURLEncoding.AppendEncode(append(text, prefix...), b[:]))
}

// keyID tells which server key sealed a record.
type keyID [4]byte

// tag stands for a user: an HMAC of the name under a server key, because names
// can be guessed. All zero: no user.
type tag [16]byte

// pair is one of the store's key pairs: it signs and encrypts cookies, and the
// keys that seal records come from it.
type pair struct {
	sign  *prf
	block cipher.Block // encrypts cookies; nil: they are only signed
	seal  *prf
	user  *prf
	id    keyID
}

// minAuthKey is the shortest authentication key: as long as the ID that it
// protects.
const minAuthKey = 32

// newPairs takes keys as gorilla does: an authentication key of 32 bytes or
// more, then an encryption key of 16, 24 or 32 bytes or none, and so on.
func newPairs(keys [][]byte) ([]pair, error) {
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: none given, want an authentication key of 32 random bytes, and an encryption key or nil", ErrKeys)
	}
	var pairs []pair
	for i := 0; i < len(keys); i += 2 {
		var block []byte
		if i+1 < len(keys) && len(keys[i+1]) > 0 {
			block = keys[i+1]
		}
		p, err := newPair(keys[i], block)
		if err != nil {
			return nil, fmt.Errorf("%w: pair %d: %w", ErrKeys, i/2+1, err)
		}
		pairs = append(pairs, p)
	}
	return pairs, nil
}

func newPair(auth, block []byte) (pair, error) {
	if len(auth) < minAuthKey {
		return pair{}, fmt.Errorf("the authentication key has %d bytes, want 32 random bytes or more", len(auth))
	}
	key := extract(auth, "bmemcached-go session key v1")
	root := newPRF(key)
	part := func(label string, input []byte) *prf {
		k := root.derive(label, input)
		return newPRF(k[:])
	}
	name := root.derive("id", nil)
	// Pairs that differ in the encryption key alone sign differently, too: what
	// one decrypts of the other's cookies would be a random ID.
	p := pair{sign: part("sign", block), seal: part("seal", nil), user: part("user", nil), id: keyID(name[:4])}
	if len(block) > 0 {
		var err error
		if p.block, err = aes.NewCipher(block); err != nil {
			return pair{}, fmt.Errorf("the encryption key has %d bytes, want 16, 24 or 32", len(block))
		}
	}
	return p, nil
}

func (p *pair) tagOf(user string) tag {
	sum := p.user.derive("tag", []byte(user))
	return tag(sum[:len(tag{})])
}
