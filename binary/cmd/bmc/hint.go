package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"

	"github.com/bmemcached/bmemcached-go/binary"
)

// hintedError is an error of which it is known what to do about it.
type hintedError struct {
	error
	hint string // "": nothing
}

func (e *hintedError) Unwrap() error { return e.error }

// hint says what to do about err, in terms of this program, or nothing.
func (t *tool) hint(err error) string {
	var hinted *hintedError
	switch {
	case errors.As(err, &hinted):
		return hinted.hint
	case errors.Is(err, memcached.ErrAuth):
		return t.authHint()
	case errors.Is(err, memcached.ErrTooLarge):
		return "when the server was started with a larger -I, give --max-item-size the same"
	case errors.Is(err, memcached.ErrUnavailable):
		return t.networkHint(err)
	}
	return ""
}

func (t *tool) authHint() string {
	met := t.login.snapshot()
	switch {
	case t.username == "":
		return "set --username or MEMCACHED_USERNAME, and MEMCACHED_PASSWORD or --password-file"
	case !met.asked:
		return "the server takes no credentials: leave out --username and MEMCACHED_USERNAME"
	case met.used == "" && !met.secure && len(met.offered) == 1 && strings.EqualFold(met.offered[0], "PLAIN"):
		return "use --tls, or --mechanism plain where nobody can listen"
	case met.used == "":
		return "--mechanism chooses among what the server offers"
	default:
		return "check the user name and the password; a server that checks passwords elsewhere (saslauthd, PAM) may need --mechanism plain"
	}
}

func (t *tool) networkHint(err error) string {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var notTLS tls.RecordHeaderError
	switch {
	case errors.As(err, &authority):
		return "give the certificate that signed the server's with --ca"
	case errors.As(err, &name):
		return "give the name that the server's certificate is for with --server-name"
	case errors.As(err, &notTLS):
		return "leave out --tls: the server does not use it on this port"
	case !t.tls && strings.Contains(err.Error(), "TLS"):
		return "when the server uses TLS, give --tls"
	}
	return ""
}
