package memcached_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

func TestSecrets_AreInNothingThatIsPrinted(t *testing.T) {
	const password = "a-secret-password"
	opts := memcached.Options{
		Auth: sasl.Auto("app", password),
		//lint:ignore SA1019 a field that holds a secret
		TLS: &tls.Config{SessionTicketKey: [32]byte{'a', '-', 's', 'e', 'c', 'r', 'e', 't'}},
	}
	client, err := memcached.New([]string{"127.0.0.1:1"}, &opts)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	failure := client.Set(t.Context(), &memcached.Item{Key: "a-secret-key", Value: []byte("a-secret-value")})
	multi := client.SetMulti(t.Context(), []*memcached.Item{{Key: "a-secret-key", Value: []byte("a-secret-value")}})
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		logger := slog.New(handler)
		logger.Info("x", "client", client, "options", opts, "pointer", &opts, "auth", opts.Auth, "error", failure, "multi", multi)
	}
	printed := log.String() + failure.Error() + multi.Error()
	for _, auth := range []sasl.Mechanism{
		opts.Auth, sasl.Plain("app", password), sasl.ScramSHA256("app", password), sasl.ScramSHA1("app", password), sasl.CramMD5("app", password),
	} {
		opts.Auth = auth
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			printed += fmt.Sprintf(verb+" "+verb+" "+verb+" "+verb, client, opts, &opts, auth)
			printed += fmt.Sprintf(verb+" "+verb, any(client), struct{ Auth any }{auth})
		}
	}
	hexed := fmt.Sprintf("%x", password)
	if text, err := json.Marshal(opts.Auth); err == nil {
		printed += string(text)
	}
	for _, secret := range []string{password, hexed, "a-secret-value", fmt.Sprint([]byte(password))} {
		if i := strings.Index(printed, secret); i >= 0 {
			t.Errorf("printed: …%s…", printed[max(0, i-200):i+len(secret)])
		}
	}
	if op := new(memcached.OpError); !errors.As(failure, &op) || op.Key != "a-secret-key" || strings.Contains(failure.Error()+multi.Error(), "a-secret-key") {
		t.Errorf("Set = %v, want an OpError that has the key and does not tell it", failure)
	}
}
