package main

import (
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// checkConnection tells whether the server can be asked at all.
func checkConnection(e *examination) finding {
	switch {
	case e.err == nil, errors.Is(e.err, memcached.ErrAuth):
		return good("first answer after %.3f ms, everything included", milliseconds(e.connect))
	default:
		return finding{Verdict: fail, Found: inWords(e.err.Error()), Advice: e.hint}
	}
}

func checkTLS(e *examination) finding {
	const advice = "everybody on the way can read and change what is cached: start memcached with -Z, and use TLS in the clients"
	switch {
	case e.tls != nil:
		f := good("%s, %s", tls.VersionName(e.tls.Version), tls.CipherSuiteName(e.tls.CipherSuite))
		if e.insecure {
			return f.but(warn, "--insecure: who answered is not known; leave it out")
		}
		return f
	case e.err != nil && !errors.Is(e.err, memcached.ErrAuth):
		return finding{}
	case e.local:
		return good("off; the server is on this machine")
	default:
		return good("off").but(warn, advice)
	}
}

// expiresSoon is how long before its end a certificate should be replaced.
const expiresSoon = 30 * 24 * time.Hour

const renewAdvice = "renew it and restart memcached (without SASL its text command refresh_certs will do)"

func checkCertificate(e *examination) finding {
	if e.tls == nil || len(e.tls.PeerCertificates) == 0 {
		return finding{}
	}
	first := e.tls.PeerCertificates[0]
	for _, c := range e.tls.PeerCertificates {
		if c.NotAfter.Before(first.NotAfter) {
			first = c
		}
	}
	left := time.Until(first.NotAfter)
	date := first.NotAfter.UTC().Format(time.DateOnly)
	f := good("valid until %s (%s)", date, count(uint64(max(0, left.Hours()/24)), "day"))
	switch {
	case left <= 0:
		return good("expired on %s", date).but(fail, renewAdvice)
	case left < expiresSoon:
		return f.but(warn, renewAdvice)
	}
	return f
}

func checkMechanisms(e *examination) finding {
	if !e.sasl.asked {
		if e.err != nil && !errors.Is(e.err, memcached.ErrAuth) {
			return finding{}
		}
		return good("none: SASL is off")
	}
	f := good("%s", strings.Join(e.sasl.offered, " "))
	scram := slices.ContainsFunc(e.sasl.offered, func(name string) bool {
		return strings.HasPrefix(strings.ToUpper(name), "SCRAM-")
	})
	switch {
	case len(e.sasl.offered) == 0:
		return good("SASL is on and lists none").but(fail, "install the modules of Cyrus SASL (Debian: libsasl2-modules) and look at mech_list in its memcached.conf")
	case !scram && !e.sasl.secure:
		return f.but(warn, "without TLS these show the password, or let it be guessed, to whoever listens: use TLS, or SCRAM (mech_list in Cyrus SASL's memcached.conf)")
	}
	return f
}

func checkAuthentication(e *examination) finding {
	refused := errors.Is(e.err, memcached.ErrAuth)
	switch {
	case refused:
		return finding{Verdict: fail, Found: inWords(e.err.Error()), Advice: e.hint}
	case e.err != nil:
		return finding{}
	case e.username != "":
		return good("as %s with %s", e.username, e.sasl.used)
	case e.tls != nil && e.wantsCertificates():
		return good("by client certificate")
	case e.local:
		return good("nobody has to; the server is on this machine")
	default:
		return good("nobody has to").but(warn, "whoever reaches the port reads, changes and removes everything: start memcached with -S, and close the port to strangers")
	}
}

// wantsCertificates reports whether clients have to have a certificate: the bit
// of OpenSSL's SSL_VERIFY_FAIL_IF_NO_PEER_CERT.
func (e *examination) wantsCertificates() bool {
	mode, _ := number(e.settings, "ssl_verify_mode")
	return mode&2 != 0
}

func checkFlush(e *examination) finding {
	switch e.settings["flush_enabled"] {
	case "yes":
		return good("allowed: every client can empty the cache (memcached -F forbids it)")
	case "no":
		return good("forbidden (memcached -F)")
	}
	return notTold()
}

func checkUDP(e *examination) finding {
	port, told := number(e.settings, "udpport")
	switch {
	case !told:
		return finding{}
	case port == 0:
		return good("off")
	default:
		return good("on port %d", port).but(warn, "answers can be sent to forged addresses, many times larger than the question: start memcached with -U 0")
	}
}
