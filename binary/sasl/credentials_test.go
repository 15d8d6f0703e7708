package sasl_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// secret is looked for, in several spellings, in everything that gets printed.
const secret = "s3cr3t-w0rd"

var spellings = []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), fmt.Sprint([]byte(secret)), fmt.Sprintf("%v", []rune(secret))}

func mustHide(t *testing.T, how, printed string) {
	t.Helper()
	for _, spelling := range spellings {
		if strings.Contains(printed, spelling) {
			t.Errorf("%s shows the password: %s", how, printed)
		}
	}
}

// printEveryWay prints v with the verbs of fmt, slog and encoding/json.
func printEveryWay(t *testing.T, name string, v any) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "% x", "%#q", "%10v", "%T"} {
		mustHide(t, name+" with "+verb, fmt.Sprintf(verb, v))
	}
	mustHide(t, name+" with Sprint", fmt.Sprint(v))
	var buf bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&buf, nil), slog.NewJSONHandler(&buf, nil)} {
		slog.New(handler).Info("connected", "value", v)
	}
	mustHide(t, name+" in a log", buf.String())
	if data, err := json.Marshal(v); err == nil {
		mustHide(t, name+" as JSON", string(data))
	}
	buf.Reset()
	_ = gob.NewEncoder(&buf).Encode(v)
	mustHide(t, name+" as gob", buf.String())
}

func TestPrinting_HidesThePassword(t *testing.T) {
	c := sasl.Credentials{Identity: "team", Username: "ann", Password: sasl.NewSecret(secret)}
	printEveryWay(t, "credentials", c)
	printEveryWay(t, "pointer", &c)
	printEveryWay(t, "slice", []sasl.Credentials{c})
	printEveryWay(t, "map", map[string]sasl.Credentials{"a": c})
	printEveryWay(t, "struct", struct{ Login sasl.Credentials }{c})
	printEveryWay(t, "hidden field", struct{ login sasl.Credentials }{c})
	printEveryWay(t, "pointer to a hidden field", &struct{ login []sasl.Credentials }{[]sasl.Credentials{c}})
	printEveryWay(t, "hidden password", struct{ password sasl.Secret }{c.Password})
	printEveryWay(t, "password", c.Password)
	mustHide(t, "String", c.Password.String()+c.Password.GoString())
	mustHide(t, "GoString", c.GoString())

	mechanisms := []sasl.Mechanism{
		sasl.Auto("ann", secret), sasl.Plain("ann", secret), sasl.CramMD5("ann", secret),
		sasl.ScramSHA1("ann", secret), sasl.ScramSHA256("ann", secret), sasl.ScramSHA512("ann", secret), sasl.AutoFunc(fixed(c)),
	}
	for _, m := range mechanisms {
		printEveryWay(t, m.Name(), m)
		printEveryWay(t, m.Name()+" in a struct", struct{ Auth sasl.Mechanism }{m})
		printEveryWay(t, m.Name()+" in a hidden field", struct{ auth sasl.Mechanism }{m})
		session, _, err := m.Start(t.Context(), sasl.Server{Secure: true, Mechanisms: []string{"PLAIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"}})
		if err != nil && m != mechanisms[len(mechanisms)-1] {
			t.Fatal(err)
		}
		printEveryWay(t, m.Name()+"'s session", session)
		printEveryWay(t, m.Name()+"'s session in a hidden field", struct{ s sasl.Session }{session})
	}
}

func TestPrinting_ShowsTheRest(t *testing.T) {
	c := sasl.Credentials{Identity: "team", Username: "ann", Password: sasl.NewSecret(secret)}
	const want = `{Identity:"team" Username:"ann" Password:(hidden)}`
	if got := fmt.Sprint(c); got != want {
		t.Errorf("Sprint = %s, want %s", got, want)
	}
	if got := c.LogValue().String(); !strings.Contains(got, "ann") || !strings.Contains(got, "team") {
		t.Errorf("LogValue() = %s, want identity and username", got)
	}
	if got := fmt.Sprintf("%v", sasl.ScramSHA256("ann", secret)); got != "sasl:SCRAM-SHA-256" {
		t.Errorf("%%v of a mechanism = %s, want sasl:SCRAM-SHA-256", got)
	}
}

func TestStart_RefusesUnusableCredentials(t *testing.T) {
	good := sasl.Credentials{Username: "ann", Password: sasl.NewSecret(secret)}
	tests := map[string]func(c *sasl.Credentials){
		"sasl: username and password are empty": func(c *sasl.Credentials) { c.Username, c.Password = "", sasl.Secret{} },
		"sasl: username is empty":               func(c *sasl.Credentials) { c.Username = "" },
		"sasl: password is empty":               func(c *sasl.Credentials) { c.Password = sasl.NewSecret("") },
		"sasl: username is not valid UTF-8":     func(c *sasl.Credentials) { c.Username = "\xff" },
		"sasl: password is not valid UTF-8":     func(c *sasl.Credentials) { c.Password = sasl.NewSecret(secret + "\xff") },
		"sasl: identity is not valid UTF-8":     func(c *sasl.Credentials) { c.Identity = "\xff" },
		"sasl: password contains a control":     func(c *sasl.Credentials) { c.Password = sasl.NewSecret(secret + "\n") },
		"sasl: username contains a control":     func(c *sasl.Credentials) { c.Username = "ann\x00" },
		"sasl: identity contains a control":     func(c *sasl.Credentials) { c.Identity = "\x7f" },
		"sasl: password contains a control c":   func(c *sasl.Credentials) { c.Password = sasl.NewSecret("\u0085" + secret) },
	}
	constructors := map[string]func(func(context.Context) (sasl.Credentials, error)) sasl.Mechanism{"AUTO": sasl.AutoFunc}
	for name, mechanism := range everyMechanism {
		constructors[name] = mechanism
	}
	for want, spoil := range tests {
		c := good
		spoil(&c)
		for name, mechanism := range constructors {
			_, initial, err := mechanism(fixed(c)).Start(t.Context(), sasl.Server{Secure: true})
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s: Start = %v, want %q", name, err, want)
				continue
			}
			mustHide(t, name+"'s error", err.Error())
			if initial != nil {
				t.Errorf("%s: initial = %q with an error, want nothing to send", name, initial)
			}
		}
	}
}

func TestSecret_ComesFromAConfiguration(t *testing.T) {
	var c sasl.Credentials
	if err := json.Unmarshal([]byte(`{"Username": "ann", "Password": "s3cr3t"}`), &c); err != nil || c.Password.Reveal() != "s3cr3t" {
		t.Errorf("Unmarshal = %v, %q, want the password", err, c.Password.Reveal())
	}
}
