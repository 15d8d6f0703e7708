package saslserver

import (
	"bytes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strings"
)

// iterations is Cyrus's default and the least that RFC 7677 allows.
const iterations = 4096

// saltKey makes salts that stay the same as long as the process runs, as
// Cyrus's do, so that clients may remember salted passwords.
var saltKey = []byte(rand.Text())

// scram is one exchange of SCRAM without channel binding.
type scram struct {
	newHash func() hash.Hash
	lookup  func(string) (string, bool)
	salt    func(user string) []byte
	nonce   string // the server's part until the first message, then both
	step    int

	header      string // the client's GS2 header
	authMessage string
	saltedPass  []byte
	candidate   string // authenticated when the last step is done
	user        string
}

func newSCRAM(newHash func() hash.Hash, lookup func(string) (string, bool)) *scram {
	return &scram{newHash: newHash, lookup: lookup, nonce: rand.Text(), salt: userSalt}
}

func userSalt(user string) []byte {
	return mac(sha256.New, saltKey, user)[:16]
}

func (s *scram) User() string { return s.user }

func (s *scram) Next(response []byte) (challenge []byte, done bool, err error) {
	if len(response) > maxResponse || bytes.IndexByte(response, 0) >= 0 {
		s.step = over
		return nil, false, errors.New("saslserver: SCRAM response is too long or has a NUL")
	}
	switch s.step {
	case 0:
		s.step = 1
		if len(response) == 0 { // a client without an initial response
			return nil, false, nil
		}
		fallthrough
	case 1:
		s.step = 2
		challenge, err = s.first(string(response))
	case 2:
		s.step = 3
		challenge, err = s.final(string(response))
	case 3:
		s.step = over
		if len(response) > 0 {
			return nil, false, errors.New("saslserver: SCRAM response after the last challenge")
		}
		s.user = s.candidate
		return nil, true, nil
	default:
		return nil, false, errOver
	}
	if err != nil {
		s.step = over
	}
	return challenge, false, err
}

// over is the step after the last.
const over = 4

// first answers the client's first message with nonce, salt and iterations.
func (s *scram) first(message string) ([]byte, error) {
	flag, rest, ok1 := strings.Cut(message, ",")
	identity, bare, ok2 := strings.Cut(rest, ",")
	if !ok1 || !ok2 || flag != "n" && flag != "y" || identity != "" && !strings.HasPrefix(identity, "a=") {
		return nil, errors.New("saslserver: malformed GS2 header")
	}
	s.header = message[:len(message)-len(bare)]
	fields := strings.Split(bare, ",")
	if len(fields) < 2 || !strings.HasPrefix(fields[0], "n=") || !strings.HasPrefix(fields[1], "r=") || len(fields[1]) < 3 {
		return nil, errors.New("saslserver: malformed SCRAM client-first-message")
	}
	user, err := unescape(fields[0][2:])
	if err != nil {
		return nil, err
	}
	identity, err = unescape(strings.TrimPrefix(identity, "a="))
	if err != nil {
		return nil, err
	}
	password, ok := s.lookup(user)
	if !ok || !mayActAs(user, identity) {
		return nil, ErrRefused // as Cyrus does, at once
	}
	salt := s.salt(user)
	s.saltedPass, err = pbkdf2.Key(s.newHash, password, salt, iterations, s.newHash().Size())
	if err != nil {
		return nil, fmt.Errorf("saslserver: %w", err)
	}
	s.candidate = user
	s.nonce = fields[1][2:] + s.nonce
	challenge := fmt.Sprintf("r=%s,s=%s,i=%d", s.nonce, base64.StdEncoding.EncodeToString(salt), iterations)
	s.authMessage = bare + "," + challenge + ","
	return []byte(challenge), nil
}

// final checks the client's proof and answers with the server's own.
func (s *scram) final(message string) ([]byte, error) {
	at := strings.LastIndex(message, ",p=")
	if at < 0 {
		return nil, errors.New("saslserver: SCRAM client-final-message without a proof")
	}
	unproven := message[:at]
	want := "c=" + base64.StdEncoding.EncodeToString([]byte(s.header)) + ",r=" + s.nonce
	if unproven != want && !strings.HasPrefix(unproven, want+",") {
		return nil, errors.New("saslserver: SCRAM client-final-message with other header or nonce")
	}
	proof, err := base64.StdEncoding.Strict().DecodeString(message[at+3:])
	if err != nil || len(proof) != s.newHash().Size() {
		return nil, errors.New("saslserver: SCRAM proof is not base64 of a hash")
	}
	s.authMessage += unproven
	clientKey := mac(s.newHash, s.saltedPass, "Client Key")
	storedKey := s.newHash()
	storedKey.Write(clientKey)
	subtle.XORBytes(proof, proof, mac(s.newHash, storedKey.Sum(nil), s.authMessage))
	if !hmac.Equal(proof, clientKey) {
		return nil, ErrRefused
	}
	signature := mac(s.newHash, mac(s.newHash, s.saltedPass, "Server Key"), s.authMessage)
	return []byte("v=" + base64.StdEncoding.EncodeToString(signature)), nil
}

// unescape decodes a saslname: =2C is a comma, =3D an equals sign.
func unescape(name string) (string, error) {
	if strings.Contains(strings.NewReplacer("=2C", "", "=3D", "").Replace(name), "=") {
		return "", errors.New("saslserver: malformed escape in a SCRAM name")
	}
	return strings.NewReplacer("=2C", ",", "=3D", "=").Replace(name), nil
}

// mac is HMAC(key, message).
func mac(newHash func() hash.Hash, key []byte, message string) []byte {
	m := hmac.New(newHash, key)
	m.Write([]byte(message))
	return m.Sum(nil)
}
