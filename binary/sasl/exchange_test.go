package sasl_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/internal/saslserver"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// everyMechanism are the constructors with the names they must send.
var everyMechanism = map[string]func(func(context.Context) (sasl.Credentials, error)) sasl.Mechanism{
	"PLAIN":         sasl.PlainFunc,
	"CRAM-MD5":      sasl.CramMD5Func,
	"SCRAM-SHA-1":   sasl.ScramSHA1Func,
	"SCRAM-SHA-256": sasl.ScramSHA256Func,
	"SCRAM-SHA-512": sasl.ScramSHA512Func,
}

// fixed is a source of credentials that never change.
func fixed(c sasl.Credentials) func(context.Context) (sasl.Credentials, error) {
	return func(context.Context) (sasl.Credentials, error) { return c, nil }
}

// authenticate plays an exchange as a client of memcached does and returns the
// user that the server believes in, and the error of the side that gave up.
func authenticate(ctx context.Context, m sasl.Mechanism, server sasl.Server, users map[string]string) (user string, err error) {
	session, message, err := m.Start(ctx, server)
	if err != nil {
		return "", err
	}
	exchange, err := saslserver.New(sasl.NameOf(m, session), func(user string) (string, bool) {
		password, ok := users[user]
		return password, ok
	})
	if err != nil {
		return "", err
	}
	for range 10 {
		challenge, done, err := exchange.Next(message)
		if err != nil {
			return "", err
		}
		if done {
			return exchange.User(), session.Done()
		}
		if message, err = session.Next(challenge); err != nil {
			return "", err
		}
	}
	return "", errors.New("the exchange does not end")
}

func TestExchange_RightPassword(t *testing.T) {
	for _, c := range []sasl.Credentials{
		{Username: "ann", Password: sasl.NewSecret("secret")},
		{Username: "a,b=c=2C", Password: sasl.NewSecret("p,=w")},
		{Username: "ann smith", Password: sasl.NewSecret("pass word")},
		{Username: "änn", Password: sasl.NewSecret("schlüssel\u00a0ﬀ")},
		{Username: strings.Repeat("u", 255), Password: sasl.NewSecret(strings.Repeat("p", 255))},
	} {
		for name, mechanism := range everyMechanism {
			user, err := authenticate(t.Context(), mechanism(fixed(c)), sasl.Server{}, map[string]string{c.Username: c.Password.Reveal()})
			if err != nil || user != c.Username {
				t.Errorf("%s as %q: user %q, %v, want no error", name, c.Username, user, err)
			}
		}
	}
}

func TestExchange_WrongCredentials(t *testing.T) {
	users := map[string]string{"ann": "secret"}
	for _, c := range []sasl.Credentials{{Username: "ann", Password: sasl.NewSecret("guess")}, {Username: "bob", Password: sasl.NewSecret("secret")}} {
		for name, mechanism := range everyMechanism {
			user, err := authenticate(t.Context(), mechanism(fixed(c)), sasl.Server{}, users)
			if !errors.Is(err, saslserver.ErrRefused) || user != "" {
				t.Errorf("%s as %q: user %q, %v, want ErrRefused", name, c.Username, user, err)
			}
		}
	}
}

// TestExchange_Identity: the server accepts the user's own, as memcached does.
func TestExchange_Identity(t *testing.T) {
	const user = "a,b=c"
	for _, identity := range []string{user, "somebody else"} {
		c := sasl.Credentials{Identity: identity, Username: user, Password: sasl.NewSecret("secret")}
		for name, mechanism := range everyMechanism {
			got, err := authenticate(t.Context(), mechanism(fixed(c)), sasl.Server{}, map[string]string{user: "secret"})
			switch {
			case name == "CRAM-MD5":
				if err == nil || !strings.Contains(err.Error(), "cannot act as another identity") {
					t.Errorf("%s: %v, want an error about the identity", name, err)
				}
			case identity == user:
				if err != nil || got != user {
					t.Errorf("%s as %q: user %q, %v, want %q", name, identity, got, err, user)
				}
			case !errors.Is(err, saslserver.ErrRefused):
				t.Errorf("%s as %q: %v, want ErrRefused", name, identity, err)
			}
		}
	}
}

// TestExchange_OneMechanismManyConnections: a mechanism is shared.
func TestExchange_OneMechanismManyConnections(t *testing.T) {
	users := map[string]string{"ann": "secret"}
	for name, mechanism := range everyMechanism {
		m := mechanism(fixed(sasl.Credentials{Username: "ann", Password: sasl.NewSecret("secret")}))
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if _, err := authenticate(t.Context(), m, sasl.Server{}, users); err != nil {
					t.Errorf("%s: %v, want no error", name, err)
				}
			})
		}
		wg.Wait()
	}
}

// TestExchange_RotatedPassword: the same mechanism, the same salt, another
// password.
func TestExchange_RotatedPassword(t *testing.T) {
	for name, mechanism := range everyMechanism {
		current := "first"
		m := mechanism(func(context.Context) (sasl.Credentials, error) {
			return sasl.Credentials{Username: "ann", Password: sasl.NewSecret(current)}, nil
		})
		for _, password := range []string{"first", "second", "first"} {
			current = password
			if _, err := authenticate(t.Context(), m, sasl.Server{}, map[string]string{"ann": password}); err != nil {
				t.Errorf("%s with password %q: %v, want no error", name, password, err)
			}
		}
	}
}

func TestStart_ServerDoesNotOfferTheMechanism(t *testing.T) {
	for name, mechanism := range everyMechanism {
		m := mechanism(fixed(sasl.Credentials{Username: "ann", Password: sasl.NewSecret("secret")}))
		_, _, err := m.Start(t.Context(), sasl.Server{Mechanisms: []string{"GSSAPI", "EXTERNAL"}})
		want := "sasl: the server does not offer " + name + " but GSSAPI EXTERNAL"
		if err == nil || err.Error() != want {
			t.Errorf("%s: Start = %v, want %q", name, err, want)
		}
		for _, offer := range [][]string{nil, {"GSSAPI", strings.ToLower(name)}} {
			if _, _, err := m.Start(t.Context(), sasl.Server{Mechanisms: offer}); err != nil {
				t.Errorf("%s: Start with offer %q = %v, want no error", name, offer, err)
			}
		}
	}
}

func TestName(t *testing.T) {
	for name, mechanism := range everyMechanism {
		m := mechanism(fixed(sasl.Credentials{Username: "ann", Password: sasl.NewSecret("secret")}))
		session, _, err := m.Start(t.Context(), sasl.Server{})
		if err != nil {
			t.Fatal(err)
		}
		if m.Name() != name || sasl.NameOf(m, session) != name {
			t.Errorf("Name() = %q, NameOf = %q, want %q", m.Name(), sasl.NameOf(m, session), name)
		}
	}
}

// foreign is a mechanism of somebody else, whose sessions have no name.
type foreign struct {
	sasl.Mechanism
	sasl.Session
}

func (foreign) Name() string { return "X-OWN" }

func TestNameOf_ForeignMechanism(t *testing.T) {
	if got := sasl.NameOf(foreign{}, foreign{}); got != "X-OWN" {
		t.Errorf("NameOf = %q, want X-OWN", got)
	}
}

func TestPlain_Message(t *testing.T) {
	for _, test := range []struct {
		c    sasl.Credentials
		want string
	}{
		{sasl.Credentials{Username: "tim", Password: sasl.NewSecret("tanstaaftanstaaf")}, "\x00tim\x00tanstaaftanstaaf"},
		{sasl.Credentials{Identity: "Ursel", Username: "Kurt", Password: sasl.NewSecret("xipj3plmq")}, "Ursel\x00Kurt\x00xipj3plmq"}, // RFC 4616 section 4
	} {
		session, initial, err := sasl.PlainFunc(fixed(test.c)).Start(t.Context(), sasl.Server{})
		if err != nil || string(initial) != test.want {
			t.Errorf("Start = %q, %v, want %q", initial, err, test.want)
		}
		if err := session.Done(); err != nil {
			t.Errorf("Done() = %v, want nil", err)
		}
		if response, err := session.Next(nil); err == nil {
			t.Errorf("Next = %q, want an error: PLAIN has no challenge", response)
		}
	}
}

func TestCramMD5_PublishedExchange(t *testing.T) { // RFC 2195 section 2
	session, initial, err := sasl.CramMD5("tim", "tanstaaftanstaaf").Start(t.Context(), sasl.Server{})
	if err != nil || len(initial) != 0 {
		t.Fatalf("Start = %q, %v, want no initial message", initial, err)
	}
	if err := session.Done(); err == nil {
		t.Error("Done() before the challenge = nil, want an error")
	}
	response, err := session.Next([]byte("<1896.697170952@postoffice.reston.mci.net>"))
	const want = "tim b913a602c7eda7a495b4e6e7334d3890"
	if err != nil || string(response) != want {
		t.Errorf("Next = %q, %v, want %q", response, err, want)
	}
	if err := session.Done(); err != nil {
		t.Errorf("Done() = %v, want nil", err)
	}
	if response, err := session.Next([]byte("<again@localhost>")); err == nil {
		t.Errorf("second Next = %q, want an error", response)
	}
}

func TestCramMD5_BadChallenges(t *testing.T) {
	for _, challenge := range []string{"", strings.Repeat("x", 2049)} {
		session, _, err := sasl.CramMD5("tim", "secret").Start(t.Context(), sasl.Server{})
		if err != nil {
			t.Fatal(err)
		}
		if response, err := session.Next([]byte(challenge)); err == nil {
			t.Errorf("Next with %d bytes = %q, want an error", len(challenge), response)
		}
		if err := session.Done(); err == nil {
			t.Error("Done() = nil, want an error")
		}
	}
}
