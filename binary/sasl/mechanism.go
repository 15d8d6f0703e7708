package sasl

import (
	"context"
	"fmt"
	"io"
	"log/slog"
)

// Plain sends the password as it is, on any connection: the explicit choice for
// a server that offers nothing else. Without TLS everyone on the network path
// can read it; Auto sends PLAIN only where that cannot happen.
func Plain(username, password string) Mechanism {
	return PlainFunc(static(username, password))
}

// PlainFunc is Plain that asks for the credentials at every Start.
func PlainFunc(credentials func(ctx context.Context) (Credentials, error)) Mechanism {
	return &mechanism{label: namePlain, source: credentials, begin: startPlain}
}

// ScramSHA256 proves knowledge of the password without sending it, and has the
// server prove the same (RFC 5802, RFC 7677).
//
// The mechanism remembers the keys it has derived from the password, so that
// only the first connection to a server pays for the derivation.
func ScramSHA256(username, password string) Mechanism {
	return ScramSHA256Func(static(username, password))
}

// ScramSHA256Func is ScramSHA256 with credentials that get asked for at every
// Start.
func ScramSHA256Func(credentials func(ctx context.Context) (Credentials, error)) Mechanism {
	return &mechanism{label: nameScramSHA256, source: credentials, begin: scramSHA256.starter(newKeyCache())}
}

// ScramSHA512 is ScramSHA256 with a longer hash.
func ScramSHA512(username, password string) Mechanism {
	return ScramSHA512Func(static(username, password))
}

// ScramSHA512Func is ScramSHA512 that asks for the credentials at every Start.
func ScramSHA512Func(credentials func(ctx context.Context) (Credentials, error)) Mechanism {
	return &mechanism{label: nameScramSHA512, source: credentials, begin: scramSHA512.starter(newKeyCache())}
}

// ScramSHA1 is ScramSHA256 with the older hash.
func ScramSHA1(username, password string) Mechanism {
	return ScramSHA1Func(static(username, password))
}

// ScramSHA1Func is ScramSHA1 that asks for the credentials at every Start.
func ScramSHA1Func(credentials func(ctx context.Context) (Credentials, error)) Mechanism {
	return &mechanism{label: nameScramSHA1, source: credentials, begin: scramSHA1.starter(newKeyCache())}
}

// CramMD5 answers a challenge with a keyed MD5 (RFC 2195). It does not send the
// password, but who records the exchange can try passwords against it at great
// speed, and the server proves nothing. It has no identity.
func CramMD5(username, password string) Mechanism {
	return CramMD5Func(static(username, password))
}

// CramMD5Func is CramMD5 that asks for the credentials at every Start.
func CramMD5Func(credentials func(ctx context.Context) (Credentials, error)) Mechanism {
	return &mechanism{label: nameCramMD5, source: credentials, begin: startCramMD5}
}

// starter begins a session with credentials that have been checked.
type starter func(c Credentials) (session Session, initial []byte, err error)

// mechanism is a single mechanism with its credentials. They are inside source:
// nothing that prints the fields can reach them.
type mechanism struct {
	label
	source source
	begin  starter
}

func (m *mechanism) Name() string { return string(m.label) }

func (m *mechanism) Start(ctx context.Context, server Server) (Session, []byte, error) {
	if len(server.Mechanisms) > 0 && !server.offers(m.Name()) {
		return nil, nil, fmt.Errorf("sasl: the server does not offer %s but %s", m.Name(), server.list())
	}
	c, err := m.source.ask(ctx)
	if err != nil {
		return nil, nil, err
	}
	return m.begin(c)
}

// label is the name of a mechanism. Embedded in what holds secrets, it is all
// that is ever printed of it.
type label string

func (l label) String() string             { return "sasl:" + string(l) }
func (l label) GoString() string           { return l.String() }
func (l label) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, l.String()) }
func (l label) LogValue() slog.Value       { return slog.StringValue(l.String()) }
func (l label) MarshalText() ([]byte, error) {
	return []byte(l.String()), nil
}

// errorf makes an error that names the mechanism.
func (l label) errorf(format string, args ...any) error {
	return fmt.Errorf("sasl: "+string(l)+": "+format, args...)
}
