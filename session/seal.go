package session

import (
	"crypto/aes"
	"crypto/cipher"
)

// A sealed record is
//
//	version (1 byte) | key ID (4) | nonce (12) | AES-256-GCM ciphertext and tag
//
// with version and key ID authenticated along. AES-GCM, because the standard
// library has it in hardware speed on the machines that servers are made of
// (ChaCha20-Poly1305 is outside of it and slower there), and because its one
// trap, a nonce used twice, is out of reach: each session has a key of its own
// and is written far fewer than 2³² times.
const (
	sealVersion    = 1
	forwardVersion = 0xf1 // not a record but a forward
	headerSize     = 1 + len(keyID{})
	sealedExtra    = headerSize + 12 + 16
)

// sealer seals and opens the record of one session under one server key.
type sealer struct {
	aead cipher.AEAD
	key  keyID
}

// newSealer derives the key of one session from a server key, the session's
// secret (its ID or token) and the record's key in memcached. Neither a dump
// with the server key nor a dump with the cookie opens the record, and a copy
// under another key, of another prefix say, does not open.
func newSealer(server *prf, name keyID, label string, secret []byte, location string) *sealer {
	input := append(make([]byte, 0, len(secret)+1+len(location)), secret...)
	key := server.derive(label, append(append(input, 0), location...))
	block, _ := aes.NewCipher(key[:])              // fails for other key sizes only
	aead, _ := cipher.NewGCMWithRandomNonce(block) // fails for other ciphers only
	return &sealer{aead: aead, key: name}
}

// seal returns plain sealed, in a slice of its own.
func (s *sealer) seal(plain []byte) []byte { return s.sealAs(sealVersion, plain) }

func (s *sealer) sealAs(version byte, plain []byte) []byte {
	out := make([]byte, headerSize, len(plain)+sealedExtra)
	out[0] = version
	copy(out[1:], s.key[:])
	return s.aead.Seal(out, nil, plain, out)
}

// open returns what was sealed, in the memory of sealed.
func (s *sealer) open(sealed []byte) ([]byte, error) {
	if _, err := sealedUnder(sealed); err != nil {
		return nil, err
	}
	header, rest := sealed[:headerSize], sealed[headerSize:]
	plain, err := s.aead.Open(rest[:0], nil, rest, header)
	if err != nil {
		return nil, undecodable("not sealed for this session, or altered")
	}
	return plain, nil
}

// sealedUnder returns the ID of the key under which a record is sealed.
func sealedUnder(sealed []byte) (keyID, error) {
	if len(sealed) == 0 {
		return keyID{}, undecodable("empty")
	}
	if sealed[0] != sealVersion && sealed[0] != forwardVersion {
		return keyID{}, undecodable("unknown format, perhaps of a newer version")
	}
	if len(sealed) < sealedExtra {
		return keyID{}, undecodable("cut short")
	}
	return keyID(sealed[1:headerSize]), nil
}
