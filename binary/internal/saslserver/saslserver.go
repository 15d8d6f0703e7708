package saslserver

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"strings"
)

// Mechanisms are the names that New knows, strongest first.
var Mechanisms = []string{"SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN"}

// ErrRefused is the answer to wrong credentials: the user is unknown, or the
// password is wrong, and the client is not told which. memcached answers it,
// and everything malformed, with status 0x20.
var ErrRefused = errors.New("saslserver: authentication refused")

// errOver answers a response after the end of an exchange.
var errOver = errors.New("saslserver: the exchange is over")

// maxResponse is the longest response that Next reads, the limit of Cyrus's
// SCRAM (scram.c, MAX_CLIENTIN_LEN).
const maxResponse = 2048

// Exchange is one authentication of one client. It is not safe for concurrent
// use.
type Exchange interface {
	// Next takes the client's response, the initial one (possibly empty)
	// first, and returns what to answer. With done false the challenge, which
	// may be empty, goes out with status 0x21; with done true the client is
	// authenticated. After an error the exchange is over; ErrRefused means
	// wrong credentials, any other error a client that breaks the protocol.
	Next(response []byte) (challenge []byte, done bool, err error)
	// User is the name that was authenticated, or "" before done.
	User() string
}

// New begins an exchange with a mechanism by name, in upper or lower case.
// lookup returns the password of a user; it is called during Next.
func New(mech string, lookup func(user string) (password string, ok bool)) (Exchange, error) {
	switch strings.ToUpper(mech) {
	case "PLAIN":
		return &plain{lookup: lookup}, nil
	case "CRAM-MD5":
		return &cramMD5{lookup: lookup, challenge: newCRAMChallenge()}, nil
	case "SCRAM-SHA-1":
		return newSCRAM(sha1.New, lookup), nil
	case "SCRAM-SHA-256":
		return newSCRAM(sha256.New, lookup), nil
	case "SCRAM-SHA-512":
		return newSCRAM(sha512.New, lookup), nil
	}
	return nil, fmt.Errorf("saslserver: no mechanism %.40q", mech)
}
