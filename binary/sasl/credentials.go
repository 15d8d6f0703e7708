package sasl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Credentials are what a client authenticates with. Username and Password must
// not be empty. Identity is the identity to act as (authzid) when that is not the
// user's own; memcached with Cyrus SASL lets nobody do that, other servers may.
//
// Printing and logging show everything but the password: see [Secret].
type Credentials struct {
	Identity, Username string
	Password           Secret
}

// LogValue is what slog logs: everything but the password.
func (c Credentials) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("identity", c.Identity),
		slog.String("username", c.Username),
		slog.String("password", hidden),
	)
}

// String is the credentials without the password.
func (c Credentials) String() string {
	return fmt.Sprintf("{Identity:%q Username:%q Password:%s}", c.Identity, c.Username, hidden)
}

// GoString is the same as String.
func (c Credentials) GoString() string { return "sasl.Credentials" + c.String() }

// Format prints the same as String for every verb that fmt lets it see.
func (c Credentials) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// MarshalText is the same as String, so that encoding/json and its like, logging
// a configuration, leave the password out. Decoding is not affected.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// check refuses what no mechanism can carry. The error tells the field and never
// the value.
func (c Credentials) check() error {
	if c.Username == "" && c.Password.Reveal() == "" {
		return errors.New("sasl: username and password are empty: without them, leave memcached.Options.Auth nil")
	}
	for _, field := range []struct{ name, value string }{
		{"identity", c.Identity}, {"username", c.Username}, {"password", c.Password.Reveal()},
	} {
		switch {
		case field.value == "" && field.name != "identity":
			return fmt.Errorf("sasl: %s is empty", field.name)
		case !utf8.ValidString(field.value):
			return fmt.Errorf("sasl: %s is not valid UTF-8", field.name)
		case strings.ContainsFunc(field.value, unicode.IsControl):
			return fmt.Errorf("sasl: %s contains a control character (a line end at its end, perhaps)", field.name)
		}
	}
	return nil
}

// source gives the credentials for one connection.
type source func(ctx context.Context) (Credentials, error)

// static is a source that never changes.
func static(username, password string) source {
	return func(context.Context) (Credentials, error) {
		return Credentials{Username: username, Password: NewSecret(password)}, nil
	}
}

// ask gets credentials from s and checks them.
func (s source) ask(ctx context.Context) (Credentials, error) {
	if s == nil {
		return Credentials{}, errors.New("sasl: no function to ask for credentials")
	}
	c, err := s(ctx)
	if err != nil {
		return Credentials{}, fmt.Errorf("sasl: credentials: %w", err)
	}
	return c, c.check()
}
