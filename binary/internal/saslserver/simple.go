package saslserver

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
)

// plain is PLAIN: one message, [authzid] NUL authcid NUL passwd.
type plain struct {
	lookup func(string) (string, bool)
	over   bool
	user   string
}

func (p *plain) User() string { return p.user }

func (p *plain) Next(response []byte) (challenge []byte, done bool, err error) {
	if p.over {
		return nil, false, errOver
	}
	p.over = true
	fields := bytes.Split(response, []byte{0})
	if len(fields) != 3 || len(response) > maxResponse {
		return nil, false, errors.New("saslserver: malformed PLAIN response")
	}
	user := string(fields[1])
	password, ok := p.lookup(user)
	if !ok || subtle.ConstantTimeCompare(fields[2], []byte(password)) != 1 || !mayActAs(user, string(fields[0])) {
		return nil, false, ErrRefused
	}
	p.user = user
	return nil, true, nil
}

// mayActAs reports whether user may act as identity: nobody may act as somebody
// else, because memcached gives Cyrus no policy that would allow it.
func mayActAs(user, identity string) bool { return identity == "" || identity == user }

// cramMD5 is CRAM-MD5: the server speaks first, and the client answers with its
// name, a space and the HMAC-MD5 of the challenge in hexadecimal.
type cramMD5 struct {
	lookup    func(string) (string, bool)
	challenge []byte
	step      int
	user      string
}

func newCRAMChallenge() []byte {
	return []byte("<" + rand.Text() + "@localhost>")
}

func (c *cramMD5) User() string { return c.user }

func (c *cramMD5) Next(response []byte) (challenge []byte, done bool, err error) {
	c.step++
	switch c.step {
	case 1:
		if len(response) > 0 {
			c.step = 2
			return nil, false, errors.New("saslserver: CRAM-MD5 has no initial response")
		}
		return bytes.Clone(c.challenge), false, nil
	case 2:
		err = c.verify(response)
		return nil, err == nil, err
	}
	return nil, false, errOver
}

func (c *cramMD5) verify(response []byte) error {
	space := bytes.LastIndexByte(response, ' ')
	if space < 0 || len(response) > maxResponse {
		return errors.New("saslserver: malformed CRAM-MD5 response")
	}
	user := string(response[:space])
	password, ok := c.lookup(user)
	mac := hmac.New(md5.New, []byte(password))
	mac.Write(c.challenge)
	want := hex.AppendEncode(nil, mac.Sum(nil))
	if !hmac.Equal(response[space+1:], want) || !ok {
		return ErrRefused
	}
	c.user = user
	return nil
}
