package integration_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/bmemcached/bmemcached-go/integration/faultproxy"
)

// wantError checks that err is target, and that its text names server and
// every one of words.
func wantError(t *testing.T, op string, err, target error, server string, words ...string) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("%s = %v, want %v", op, err, target)
		return
	}
	for _, word := range append(words, server) {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%s = %q, want %q in it", op, err, word)
		}
	}
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	const wrong = "Wr0ngPassw0rd"
	server := integration.Start(t, &integration.Options{Users: users})
	for name, auth := range map[string]sasl.Mechanism{
		"PLAIN":         sasl.Plain(username, wrong),
		"SCRAM-SHA-256": sasl.ScramSHA256(username, wrong),
		"SCRAM-SHA-1":   sasl.ScramSHA1(username, wrong),
		"CRAM-MD5":      sasl.CramMD5(username, wrong),
		"Auto":          sasl.Auto(username, wrong),
		"no such user":  sasl.Auto("nobody", wrong),
	} {
		t.Run(name, func(t *testing.T) {
			proxy := faultproxy.Start(t, server.Addr())
			client := openAt(t, &memcached.Options{Auth: auth, RetryAfter: time.Hour}, proxy.Addr())
			const operations = 200
			for range operations {
				_, err := client.Get(t.Context(), "key")
				wantError(t, "Get", err, memcached.ErrAuth, proxy.Addr())
				if strings.Contains(err.Error(), wrong) {
					t.Fatalf("Get = %q, which tells the password", err)
				}
				if t.Failed() {
					return
				}
			}
			if n := proxy.Accepted(); n > 3 {
				t.Errorf("%d operations made %d connections, want no storm", operations, n)
			}
		})
	}
}

func TestWrongPassword_CorrectedByRotation(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, &integration.Options{Users: users})
	var current atomic.Pointer[string]
	set := func(password string) { current.Store(&password) }
	set("old")
	client := open(t, &memcached.Options{
		Auth: sasl.AutoFunc(func(context.Context) (sasl.Credentials, error) {
			return sasl.Credentials{Username: username, Password: sasl.NewSecret(*current.Load())}, nil
		}),
		RetryAfter: 50 * time.Millisecond,
	}, server)
	_, err := client.Get(t.Context(), "key")
	wantError(t, "Get with the old password", err, memcached.ErrAuth, server.Addr())
	set(password)
	eventually(t, func() error {
		_, err := client.Get(t.Context(), "key")
		if errors.Is(err, memcached.ErrCacheMiss) {
			return nil
		}
		return err
	})
}

func TestCredentials_ServerWithoutSASL(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, nil)
	client := open(t, &memcached.Options{Auth: sasl.Auto(username, password)}, server)
	err := client.Set(t.Context(), &memcached.Item{Key: "key"})
	wantError(t, "Set", err, memcached.ErrAuth, server.Addr(), "SASL")
}

func TestNoCredentials_ServerWithSASL(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, &integration.Options{Users: users})
	client := open(t, nil, server)
	_, err := client.Get(t.Context(), "key")
	wantError(t, "Get", err, memcached.ErrAuth, server.Addr(), "Auth")
}

func TestMechanism_NotOffered(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, &integration.Options{Users: users, Mechanisms: []string{"CRAM-MD5"}})
	client := open(t, &memcached.Options{Auth: sasl.ScramSHA256(username, password)}, server)
	_, err := client.Get(t.Context(), "key")
	wantError(t, "Get", err, memcached.ErrAuth, server.Addr(), "SCRAM-SHA-256", "CRAM-MD5")
}
