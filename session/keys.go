package session

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"sync"

	"github.com/gorilla/securecookie"
)

// id is the secret that a cookie carries: 256 random bits.
type id [32]byte

func newID() (i id) {
	_, _ = rand.Read(i[:]) // never fails: the program ends instead (crypto/rand)
	return i
}

// prf is HMAC-SHA-256 under one key. It keeps instances, because setting one up
// costs more than using it.
type prf struct{ pool sync.Pool }

func newPRF(key []byte) *prf {
	p := new(prf)
	p.pool.New = func() any { return hmac.New(sha256.New, key) }
	return p
}

// derive is HKDF-Expand (RFC 5869) to 32 bytes, with prf's key as the
// pseudo-random key and label and input as the info.
func (p *prf) derive(label string, input []byte) (out [32]byte) {
	h := p.pool.Get().(hash.Hash)
	h.Reset()
	buf := make([]byte, 0, 128)
	buf = append(append(append(buf, label...), input...), 1)
	h.Write(buf)
	h.Sum(out[:0])
	p.pool.Put(h)
	return out
}

// extract turns a key of any length and quality into one for newPRF.
func extract(secret []byte, salt string) []byte {
	key, err := hkdf.Extract(sha256.New, secret, []byte(salt))
	if err != nil { // only in FIPS mode, for keys below 112 bits
		sum := sha256.Sum256(append([]byte(salt), secret...))
		key = sum[:]
	}
	return key
}

// names derives what is not secret about an ID. It needs no server key, so
// that an entry stays where it is when keys are rotated: an ID has 256 random
// bits, and nobody gets from its HMAC back to it.
var names = newPRF(extract([]byte("bmemcached-go session names v1"), ""))

// location is where the entry of an ID is kept, within the store's prefix.
func (i id) location() string { return encode32(names.derive("location", i[:])) }

// public is what Session.ID shows: it identifies the session, in logs for
// instance, and gives no access to it.
func (i id) public() string { return encode32(names.derive("public", i[:])) }

func encode32(b [32]byte) string { return base64.RawURLEncoding.EncodeToString(b[:]) }

// keyID tells which server key sealed an entry.
type keyID [4]byte

// tag stands for a user: an HMAC of the name under a server key, because names
// can be guessed. All zero: no user.
type tag [16]byte

// pair is one of the store's key pairs: it signs and encrypts cookies, and the
// keys that seal entries come from it.
type pair struct {
	cookie *securecookie.SecureCookie
	seal   *prf
	user   *prf
	id     keyID
}

// newPairs takes keys as gorilla does: an authentication key of any length,
// then an encryption key of 16, 24 or 32 bytes or none, and so on.
func newPairs(keys [][]byte) ([]pair, error) {
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: want an authentication key (32 random bytes) and optionally an encryption key", ErrKeys)
	}
	var pairs []pair
	for i := 0; i < len(keys); i += 2 {
		var block []byte
		if i+1 < len(keys) && len(keys[i+1]) > 0 {
			block = append(block, keys[i+1]...)
		}
		p, err := newPair(append([]byte(nil), keys[i]...), block)
		if err != nil {
			return nil, fmt.Errorf("pair %d: %w", i/2+1, err)
		}
		pairs = append(pairs, p)
	}
	return pairs, nil
}

func newPair(auth, block []byte) (pair, error) {
	if len(auth) == 0 {
		return pair{}, fmt.Errorf("%w: the authentication key is empty", ErrKeys)
	}
	switch len(block) {
	case 0, 16, 24, 32:
	default:
		return pair{}, fmt.Errorf("%w: the encryption key has %d bytes, want 16, 24 or 32", ErrKeys, len(block))
	}
	key := extract(auth, "bmemcached-go session key v1")
	root := newPRF(key)
	sealKey, userKey, name := root.derive("seal", nil), root.derive("user", nil), root.derive("id", nil)
	return pair{
		// The server ends sessions, so the cookie's own timestamp need not.
		cookie: securecookie.New(auth, block).MaxAge(0).SetSerializer(securecookie.NopEncoder{}),
		seal:   newPRF(sealKey[:]),
		user:   newPRF(userKey[:]),
		id:     keyID(name[:4]),
	}, nil
}

func (p *pair) tagOf(user string) tag {
	sum := p.user.derive("tag", []byte(user))
	return tag(sum[:len(tag{})])
}

// token is what a cookie says: an ID and, when the session is bound, its
// user's tag, so that the user's epoch can be read along with the entry.
type token struct {
	id   id
	user tag
}

// cookieVersion is the first byte of a cookie's content. Without a user the
// tag is left out.
const cookieVersion = 1

func (p *pair) encodeCookie(name string, t token) (string, error) {
	content := append([]byte{cookieVersion}, t.id[:]...)
	if t.user != (tag{}) {
		content = append(content, t.user[:]...)
	}
	value, err := p.cookie.Encode(name, content)
	if err != nil {
		return "", fmt.Errorf("session: encoding the cookie: %w", err)
	}
	return value, nil
}

func (p *pair) decodeCookie(name, value string) (t token, ok bool) {
	var content []byte
	if err := p.cookie.Decode(name, value, &content); err != nil {
		return token{}, false
	}
	const short = 1 + len(token{}.id)
	if len(content) != short && len(content) != short+len(t.user) || content[0] != cookieVersion {
		return token{}, false
	}
	copy(t.id[:], content[1:])
	copy(t.user[:], content[short:])
	return t, true
}
