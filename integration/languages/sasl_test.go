package languages_test

import (
	"errors"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/integration"
)

// authenticated is every language whose client can authenticate.
func authenticated() (some []language) {
	for _, l := range everyone() {
		if !l.noSASL {
			some = append(some, l)
		}
	}
	return some
}

// TestSASL_WrongPassword says that the servers of the other tests do not let
// anybody in.
func TestSASL_WrongPassword(t *testing.T) {
	servers := language{}.start(t, 1)
	for _, l := range authenticated() {
		t.Run(l.name, func(t *testing.T) {
			with := args{"password": "wrong"}
			if l.name == java.name {
				with["options"] = args{"timeout": 1000} // it tries again until then
			}
			d := l.openWith(t, with, servers...)
			var done bool
			if err := d.ask(t, "set", args{"key": "k", "value": bytesOf([]byte("v"))}, &done); err == nil && done {
				t.Error("they stored with a wrong password")
			}
			p := pair{l, l.open(t, servers...), l.connect(t, servers...)}
			p.wantMiss(t, "k")
		})
	}
	c, err := memcached.New(servers, &memcached.Options{Auth: sasl.Auto(username, "wrong")})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Set(t.Context(), &memcached.Item{Key: "k"}); !errors.Is(err, memcached.ErrAuth) {
		t.Errorf("Set with a wrong password = %v, want ErrAuth", err)
	}
}

// TestSASL_Mechanisms has each client authenticate by what it knows beside PLAIN,
// which is all that python-binary-memcached and Dalli know, and this one on the
// same server.
func TestSASL_Mechanisms(t *testing.T) {
	libmemcached := []language{pylibmc, php, tools} // it knows what Cyrus SASL does
	for mechanism, some := range map[string][]language{
		"CRAM-MD5":      append(libmemcached, java.with("CRAM-MD5", args{"mechanism": "CRAM-MD5"}, java.codec)),
		"SCRAM-SHA-1":   libmemcached,
		"SCRAM-SHA-256": libmemcached,
	} {
		t.Run(mechanism, func(t *testing.T) {
			server := integration.Start(t, &integration.Options{Users: language{}.users(), Mechanisms: []string{mechanism}})
			for _, l := range some {
				t.Run(l.name, func(t *testing.T) {
					p := pair{l, l.open(t, server.Addr()), l.connect(t, server.Addr())}
					p.write(t, "ours", p.ourHello())
					if got := p.theirs.get(t, "ours"); !same(got, p.hello()) {
						t.Errorf("they read %s, want %s", short(got), short(p.hello()))
					}
				})
			}
		})
	}
}
