package sasl

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"hash"
	"slices"
	"strconv"
	"strings"
)

const (
	// maxChallenge is the longest challenge that is read, as in Cyrus
	// (scram.c, MAX_SERVERIN_LEN); real ones are around 100 bytes.
	maxChallenge = 2048

	// minIterations is the least that RFC 7677 allows and Cyrus's default. Who
	// impersonates a server could ask for fewer, to try passwords faster.
	minIterations = 4096

	// maxIterations keeps a server from burning the client's processor: it is
	// above all recommendations of 2025 for SHA-1, SHA-256 and SHA-512 and takes
	// about a second, what a connection attempt may take.
	maxIterations = 2_000_000
)

// scramVariant is SCRAM (RFC 5802) with one hash.
type scramVariant struct {
	label
	newHash func() hash.Hash
}

var (
	scramSHA1   = &scramVariant{nameScramSHA1, sha1.New}
	scramSHA256 = &scramVariant{nameScramSHA256, sha256.New}
	scramSHA512 = &scramVariant{nameScramSHA512, sha512.New}
)

// starter begins exchanges that share keys.
func (v *scramVariant) starter(keys *keyCache) starter {
	return func(c Credentials) (Session, []byte, error) {
		s, initial := v.start(keys, c, rand.Text())
		return s, initial, nil
	}
}

// start begins an exchange with the client's nonce.
//
// The header is that of a client without channel binding ("n"): memcached has no
// way to bind.
func (v *scramVariant) start(keys *keyCache, c Credentials, nonce string) (*scramSession, []byte) {
	s := &scramSession{
		scramVariant: v,
		keys:         keys,
		password:     &c.Password,
		header:       "n,,",
		nonce:        nonce,
		clientFirst:  "n=" + escape(c.Username) + ",r=" + nonce,
	}
	if c.Identity != "" {
		s.header = "n,a=" + escape(c.Identity) + ","
	}
	return s, []byte(s.header + s.clientFirst)
}

// escape encodes a name for SCRAM (saslname): comma and equals sign are taken.
func escape(name string) string {
	return strings.NewReplacer("=", "=3D", ",", "=2C").Replace(name)
}

// scramSession is one exchange: the server's first message is answered with the
// proof, its final one, which proves the server, with an empty response.
type scramSession struct {
	*scramVariant
	keys        *keyCache
	password    *Secret // nil once used
	header      string  // GS2 header
	nonce       string  // the client's part
	clientFirst string  // without the header
	signature   []byte  // what the server has to prove; set once the client has
	verified    bool
	err         error // why the exchange failed
}

func (s *scramSession) Mechanism() string { return string(s.label) }

func (s *scramSession) Next(challenge []byte) (response []byte, err error) {
	switch {
	case s.err != nil:
		return nil, s.err
	case s.verified:
		err = errors.New("the server sent a challenge after its last")
	case len(challenge) > maxChallenge:
		err = errors.New("challenge of " + strconv.Itoa(len(challenge)) + " bytes, want at most " + strconv.Itoa(maxChallenge))
	case s.signature == nil:
		response, err = s.prove(string(challenge))
	default:
		response, err = []byte{}, s.verify(string(challenge))
	}
	if err != nil {
		s.err = s.errorf("%w", err)
		return nil, s.err
	}
	return response, nil
}

func (s *scramSession) Done() error {
	switch {
	case s.err != nil:
		return s.err
	case !s.verified:
		return s.errorf("the server reported success without proving that it knows the password")
	}
	return nil
}

// prove answers the server's first message with the client's proof.
func (s *scramSession) prove(serverFirst string) ([]byte, error) {
	m, err := parseServerFirst(serverFirst, s.nonce)
	if err != nil {
		return nil, err
	}
	keys, err := s.keys.get(s.scramVariant, s.password.Reveal(), m.salt, m.iterations)
	if err != nil {
		return nil, err
	}
	s.password = nil
	unproven := "c=" + base64.StdEncoding.EncodeToString([]byte(s.header)) + ",r=" + m.nonce
	authMessage := s.clientFirst + "," + serverFirst + "," + unproven
	stored := s.newHash()
	stored.Write(keys.client)
	proof := mac(s.newHash, stored.Sum(nil), authMessage)
	subtle.XORBytes(proof, proof, keys.client)
	s.signature = mac(s.newHash, keys.server, authMessage)
	return []byte(unproven + ",p=" + base64.StdEncoding.EncodeToString(proof)), nil
}

// refusals are the errors that RFC 5802 has (section 7, server-error-value).
var refusals = []string{
	"invalid-encoding", "extensions-not-supported", "invalid-proof", "channel-bindings-dont-match",
	"server-does-support-channel-binding", "channel-binding-not-supported", "unsupported-channel-binding-type",
	"unknown-user", "invalid-username-encoding", "no-resources", "other-error",
}

// verify checks the server's final message: its signature, or an error.
func (s *scramSession) verify(serverFinal string) error {
	field, _, _ := strings.Cut(serverFinal, ",")
	if reason, ok := strings.CutPrefix(field, "e="); ok {
		if !slices.Contains(refusals, reason) { // it may hold what nobody is to read
			reason = "other-error"
		}
		return errors.New("the server refused: " + reason)
	}
	signature, ok := strings.CutPrefix(field, "v=")
	if !ok {
		return errors.New("malformed final message of the server")
	}
	got, err := base64.StdEncoding.Strict().DecodeString(signature)
	if err != nil || !hmac.Equal(got, s.signature) {
		return errors.New("the server failed to prove that it knows the password")
	}
	s.verified = true
	return nil
}
