package sasl_test

import (
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// FuzzExchange authenticates with any name and password: either Start refuses
// them, or every mechanism brings them to the server unchanged.
func FuzzExchange(f *testing.F) {
	f.Add("ann", "secret")
	f.Add("a,b=c=2C", "=3D,")
	f.Add("änn smith", "ﬀ\u00a0")
	f.Add("", "x")
	f.Add("ann", "secret\n")
	f.Fuzz(func(t *testing.T, username, password string) {
		if len(username)+len(password) > 500 { // the server reads at most 2048 bytes, escaped
			return
		}
		c := sasl.Credentials{Username: username, Password: sasl.NewSecret(password)}
		_, _, startErr := sasl.PlainFunc(fixed(c)).Start(t.Context(), sasl.Server{})
		for name, mechanism := range everyMechanism {
			user, err := authenticate(t.Context(), mechanism(fixed(c)), sasl.Server{}, map[string]string{username: password})
			if (err == nil) != (startErr == nil) || err == nil && user != username {
				t.Errorf("%s as %q with %q: user %q, %v; PLAIN starts with %v", name, username, password, user, err, startErr)
			}
		}
	})
}
