package sasl

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
)

// startCramMD5 begins CRAM-MD5 (RFC 2195). The server speaks first.
func startCramMD5(c Credentials) (Session, []byte, error) {
	s := &cramMD5Session{label: nameCramMD5, username: c.Username, password: &c.Password}
	if c.Identity != "" {
		return nil, nil, s.errorf("cannot act as another identity")
	}
	return s, nil, nil
}

type cramMD5Session struct {
	label
	username string
	password *Secret // nil once used
}

func (s *cramMD5Session) Mechanism() string { return nameCramMD5 }

// Next answers the one challenge with the user's name and the keyed MD5 of the
// challenge in hexadecimal.
func (s *cramMD5Session) Next(challenge []byte) ([]byte, error) {
	switch {
	case s.password == nil:
		return nil, s.errorf("the server sent a second challenge")
	case len(challenge) == 0:
		return nil, s.errorf("the server sent an empty challenge")
	case len(challenge) > maxChallenge:
		return nil, s.errorf("challenge of %d bytes, want at most %d", len(challenge), maxChallenge)
	}
	mac := hmac.New(md5.New, []byte(s.password.Reveal()))
	mac.Write(challenge)
	s.password = nil
	return hex.AppendEncode([]byte(s.username+" "), mac.Sum(nil)), nil
}

func (s *cramMD5Session) Done() error {
	if s.password != nil {
		return s.errorf("the server reported success without a challenge")
	}
	return nil
}
