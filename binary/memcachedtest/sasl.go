package memcachedtest

import (
	"slices"
	"strings"

	"github.com/bmemcached/bmemcached-go/binary/internal/saslserver"
	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// maxMechanism is the longest name of a mechanism (memcached.h,
// MAX_SASL_MECH_LEN).
const maxMechanism = 32

// saslState is how far the authentication of a connection has come. It follows
// memcached together with Cyrus SASL.
type saslState struct {
	authenticated bool
	// over says that an exchange succeeded, after which Cyrus carries out no
	// other on the same connection.
	over bool
	// started says that the last AUTH did not fail, so that STEPs may come.
	started   bool
	mechanism string              // in upper case
	exchange  saslserver.Exchange // nil after a step that failed
}

// allowed reports whether op may be carried out before, or because of,
// authentication.
func (c *conn) allowed(op wire.Opcode) bool {
	switch op {
	case wire.OpSASLList, wire.OpSASLAuth, wire.OpSASLStep, wire.OpVersion:
		return true
	default:
		return c.sasl.authenticated || !c.server.secured()
	}
}

// saslList answers SASL LIST. Like every SASL request it takes back an earlier
// authentication.
func (c *conn) saslList(req *request) {
	if !c.server.secured() {
		c.fail(req, wire.StatusUnknownCommand)
		return
	}
	c.sasl.authenticated = false
	list := strings.Join(c.server.opts.Mechanisms, " ")
	c.answer(req, wire.StatusOK, 0, nil, nil, []byte(list))
}

// saslAuth answers SASL AUTH and SASL STEP.
func (c *conn) saslAuth(op wire.Opcode, req *request) error {
	status := wire.StatusOK
	switch {
	case !c.server.secured():
		status = wire.StatusUnknownCommand
	case len(req.key) > maxMechanism:
		status = wire.StatusInvalid
	case c.server.storage.size(len(req.key), req.ValueLen(), 0) > maxChunk:
		status = wire.StatusOutOfMemory
	}
	if status != wire.StatusOK {
		c.fail(req, status)
		return c.discard(req.ValueLen())
	}
	data, err := c.value(req.ValueLen())
	if err != nil {
		return err
	}
	c.sasl.authenticated = false
	challenge, done, ok := c.saslNext(op, string(req.key), data)
	switch {
	case !ok:
		c.server.auths.Add(1)
		c.server.authErrors.Add(1)
		c.fail(req, wire.StatusAuthError)
	case done:
		c.server.auths.Add(1)
		c.sasl.authenticated, c.sasl.over = true, true
		c.answer(req, wire.StatusOK, 0, nil, nil, []byte("Authenticated"))
	default:
		c.answer(req, wire.StatusAuthContinue, 0, nil, nil, challenge)
	}
	return nil
}

// saslNext begins an exchange or takes its next step.
func (c *conn) saslNext(op wire.Opcode, mechanism string, data []byte) (challenge []byte, done, ok bool) {
	st := &c.sasl
	if op == wire.OpSASLAuth {
		st.mechanism = strings.ToUpper(mechanism)
		st.exchange = c.server.exchange(st.mechanism)
		st.started = st.exchange != nil
		if st.started && len(data) == 0 && st.mechanism != "CRAM-MD5" {
			return nil, false, true // the client is to speak first
		}
	}
	if st.exchange == nil && st.mechanism == "PLAIN" {
		st.exchange = c.server.exchange(st.mechanism) // a step that failed may be repeated
	}
	if !st.started || st.over || st.exchange == nil {
		st.started = st.started && op == wire.OpSASLStep
		return nil, false, false
	}
	challenge, done, err := st.exchange.Next(data)
	if err != nil {
		st.started = op == wire.OpSASLStep
		st.exchange = nil
		return nil, false, false
	}
	return challenge, done, true
}

// secured reports whether clients have to authenticate.
func (s *Server) secured() bool { return s.users != nil }

// exchange begins an exchange with a mechanism, or returns nil if it is not on
// offer.
func (s *Server) exchange(mechanism string) saslserver.Exchange {
	if !slices.Contains(s.opts.Mechanisms, mechanism) {
		return nil
	}
	exchange, err := saslserver.New(mechanism, s.password)
	if err != nil {
		return nil
	}
	return exchange
}

func (s *Server) password(user string) (string, bool) {
	s.usersMu.Lock()
	defer s.usersMu.Unlock()
	password, ok := s.users[user]
	return password, ok
}

// SetPassword changes the password of a user, or adds the user. Connections
// that are authenticated stay so. It does nothing on a server without
// Options.Users.
func (s *Server) SetPassword(user, password string) {
	s.usersMu.Lock()
	defer s.usersMu.Unlock()
	if s.users != nil {
		s.users[user] = password
	}
}
