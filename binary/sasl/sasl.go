package sasl

import (
	"context"
	"slices"
	"strconv"
	"strings"
)

// The mechanisms' names as IANA registers them.
const (
	namePlain       = "PLAIN"
	nameCramMD5     = "CRAM-MD5"
	nameScramSHA1   = "SCRAM-SHA-1"
	nameScramSHA256 = "SCRAM-SHA-256"
	nameScramSHA512 = "SCRAM-SHA-512"
)

// Mechanism authenticates the connections of a client. It is safe for
// concurrent use.
type Mechanism interface {
	// Name is the SASL name of the mechanism, such as "PLAIN". A mechanism that
	// chooses at Start, as Auto does, has a name of its own here, and a session
	// that tells the chosen one: see NameOf.
	Name() string

	// Start begins to authenticate one connection to server. It returns the
	// session and its initial message, which goes out with the name of the
	// mechanism and is empty where the server speaks first. An error means that
	// nothing must be sent: no mechanism fits the server, or there are no
	// usable credentials.
	Start(ctx context.Context, server Server) (session Session, initial []byte, err error)
}

// Session is the authentication of one connection. It is used once, by one
// goroutine at a time.
type Session interface {
	// Next answers a challenge of the server, which it only reads during the
	// call. The response may be empty and still has to be sent. An error means
	// that the server broke the protocol or failed to prove itself; the
	// connection must not be used.
	Next(challenge []byte) (response []byte, err error)

	// Done is called when the server reports success. It returns nil if the
	// exchange is complete and the server has proved itself, where the mechanism
	// has it do so. After an error the connection must not be used.
	Done() error
}

// Server describes the server and the connection that Start is to authenticate.
type Server struct {
	// Addr is host:port or the path of a Unix socket, for mechanisms that hold
	// different credentials for different servers.
	Addr string
	// Secure says that nobody can listen: TLS, loopback or a Unix socket.
	Secure bool
	// Mechanisms are the names that the server lists, in upper or lower case.
	// Empty: not known, and Auto cannot choose.
	Mechanisms []string
}

// offers reports whether the server lists a mechanism.
func (s Server) offers(name string) bool {
	return slices.ContainsFunc(s.Mechanisms, func(offered string) bool {
		return strings.EqualFold(offered, name)
	})
}

// list is what the server offers, for an error message. A server that has seen a
// password can put it into its list: names that nobody has registered are not
// repeated.
func (s Server) list() string {
	var names []string
	unknown := 0
	for _, offered := range s.Mechanisms {
		name := strings.ToUpper(offered)
		switch {
		case !slices.Contains(registered, name):
			unknown++
		case !slices.Contains(names, name):
			names = append(names, name)
		}
	}
	if unknown > 0 {
		names = append(names, "unknown mechanisms ("+strconv.Itoa(unknown)+")")
	}
	return strings.Join(names, " ")
}

// registered are mechanisms by the names that IANA has for them, and some that
// servers list without.
var registered = strings.Fields(`
	ANONYMOUS CRAM-MD5 DIGEST-MD5 EAP-AES128 EAP-AES128-PLUS EXTERNAL GS2-IAKERB
	GS2-IAKERB-PLUS GS2-KRB5 GS2-KRB5-PLUS GSS-SPNEGO GSSAPI KERBEROS_V4 LOGIN NTLM
	OAUTH10A OAUTHBEARER OPENID20 OTP PASSDSS-3DES-1 PLAIN SAML20 SCRAM-SHA-1
	SCRAM-SHA-1-PLUS SCRAM-SHA-224 SCRAM-SHA-224-PLUS SCRAM-SHA-256
	SCRAM-SHA-256-PLUS SCRAM-SHA-384 SCRAM-SHA-384-PLUS SCRAM-SHA-512
	SCRAM-SHA-512-PLUS SCRAM-SHA3-512 SCRAM-SHA3-512-PLUS SECURID SKEY SRP XOAUTH2`)

// NameOf is the SASL name under which to send the initial message of session,
// which m has started: that of the session if it has a method
// Mechanism() string, as all sessions of this package have, else m.Name().
func NameOf(m Mechanism, session Session) string {
	if named, ok := session.(interface{ Mechanism() string }); ok {
		return named.Mechanism()
	}
	return m.Name()
}
