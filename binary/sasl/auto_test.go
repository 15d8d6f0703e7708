package sasl_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

func TestAuto_StrengthOrder(t *testing.T) {
	const identity = "team"
	tests := []struct {
		offer    string
		secure   bool
		identity string
		want     string // the mechanism; or, in lower case, part of the error
	}{
		{"PLAIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-512", false, "", "SCRAM-SHA-512"},
		{"PLAIN SCRAM-SHA-512", true, "", "SCRAM-SHA-512"},
		{"PLAIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256", false, "", "SCRAM-SHA-256"},
		{"PLAIN CRAM-MD5 SCRAM-SHA-1", false, "", "SCRAM-SHA-1"},
		{"PLAIN CRAM-MD5", false, "", "CRAM-MD5"},
		{"PLAIN CRAM-MD5", true, "", "CRAM-MD5"},
		{"plain scram-sha-256", true, "", "SCRAM-SHA-256"},
		{"GSSAPI PLAIN", true, "", "PLAIN"},
		{"PLAIN", true, "", "PLAIN"},
		{"PLAIN", false, "", "choose sasl.Plain explicitly"},
		{"GSSAPI PLAIN", false, "", "the server offers GSSAPI PLAIN"},
		{"SCRAM-SHA-256-PLUS GSSAPI", true, "", "the server offers SCRAM-SHA-256-PLUS GSSAPI, and none of SCRAM-SHA-512, SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5, PLAIN"},
		{"", true, "", "lists no mechanisms"},
		{"PLAIN CRAM-MD5", true, identity, "PLAIN"},
		{"PLAIN CRAM-MD5", false, identity, "choose sasl.Plain explicitly"},
		{"CRAM-MD5", true, identity, "none of"},
	}
	for _, test := range tests {
		m := sasl.AutoFunc(fixed(sasl.Credentials{Identity: test.identity, Username: "ann", Password: sasl.NewSecret("secret")}))
		server := sasl.Server{Addr: "cache-1:11211", Secure: test.secure, Mechanisms: strings.Fields(test.offer)}
		session, initial, err := m.Start(t.Context(), server)
		if err != nil {
			if test.want == strings.ToUpper(test.want) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Start(%q, secure %v) = %v, want %s", test.offer, test.secure, err, test.want)
			}
			if session != nil || initial != nil {
				t.Errorf("Start(%q) = %v, %q with an error, want nothing to send", test.offer, session, initial)
			}
			continue
		}
		if got := sasl.NameOf(m, session); got != test.want {
			t.Errorf("Start(%q, secure %v) chose %s, want %s", test.offer, test.secure, got, test.want)
		}
	}
}

func TestAuto_Authenticates(t *testing.T) {
	users := map[string]string{"ann": "secret"}
	m := sasl.Auto("ann", "secret")
	for _, offer := range []string{"SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN"} {
		user, err := authenticate(t.Context(), m, sasl.Server{Secure: true, Mechanisms: []string{offer}}, users)
		if err != nil || user != "ann" {
			t.Errorf("with %s: user %q, %v, want ann", offer, user, err)
		}
	}
}

func TestAuto_HostileListStaysSmallAndPrintable(t *testing.T) {
	_, _, err := sasl.Auto("ann", "secret").Start(t.Context(), sasl.Server{Mechanisms: []string{"\x1b[2J\n", strings.Repeat("é", 5000)}})
	if err == nil || len(err.Error()) > 500 || strings.ContainsAny(err.Error(), "\x1b\n") {
		t.Errorf("Start = %q, want a short error without control characters", err)
	}
}

func TestAutoFunc_AsksAtEveryStart(t *testing.T) {
	type key struct{}
	asked := 0
	m := sasl.AutoFunc(func(ctx context.Context) (sasl.Credentials, error) {
		if ctx.Value(key{}) != "mine" {
			t.Error("the function got another context than Start")
		}
		asked++
		return sasl.Credentials{Username: "ann", Password: sasl.NewSecret("secret")}, nil
	})
	ctx := context.WithValue(t.Context(), key{}, "mine")
	for want := 1; want <= 3; want++ {
		if _, _, err := m.Start(ctx, sasl.Server{Mechanisms: []string{"SCRAM-SHA-256"}}); err != nil {
			t.Fatal(err)
		}
		if asked != want {
			t.Errorf("asked %d times after %d starts", asked, want)
		}
	}
}

func TestAutoFunc_ErrorOfTheFunction(t *testing.T) {
	m := sasl.AutoFunc(func(context.Context) (sasl.Credentials, error) {
		return sasl.Credentials{}, context.DeadlineExceeded
	})
	if _, _, err := m.Start(t.Context(), sasl.Server{Mechanisms: []string{"PLAIN"}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Start = %v, want the function's error inside", err)
	}
}

func TestStart_NoFunction(t *testing.T) {
	for _, m := range []sasl.Mechanism{sasl.AutoFunc(nil), sasl.PlainFunc(nil), sasl.ScramSHA256Func(nil)} {
		if _, _, err := m.Start(t.Context(), sasl.Server{}); err == nil {
			t.Errorf("%v: Start = nil, want an error", m)
		}
	}
}
