package integration_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest/clienttest"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/integration"
)

// The servers beside memcached of Debian 12, to which every other test talks.

// TestVersions_Client runs the suite for clients on the others.
func TestVersions_Client(t *testing.T) {
	t.Parallel()
	newest := integration.NewestMemcached
	for _, m := range []mode{
		{name: "newest memcached", server: integration.Options{Program: newest}},
		{name: "newest memcached with TLS and SASL", server: integration.Options{Program: newest, TLS: true, Users: users}, client: memcached.Options{Auth: sasl.Auto(username, password)}},
		{name: "yrmcds", server: integration.Options{Program: integration.Yrmcds}, suite: clienttest.Options{Except: yrmcds, DisableStats: true}},
	} {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			servers, opts := m.launch(t)
			clienttest.Run(t, &m.suite, func(t *testing.T) *memcached.Client {
				return open(t, opts, servers...)
			})
		})
	}
}

// TestVersions_AreWhatTheyAreSaidToBe: a version that the README names is the
// one that is tested.
func TestVersions_AreWhatTheyAreSaidToBe(t *testing.T) {
	t.Parallel()
	for program, want := range map[integration.Program]string{
		integration.Memcached:       "1.6.18",
		integration.NewestMemcached: "1.6.45",
		integration.Yrmcds:          "yrmcds version 1.1.9",
	} {
		client := open(t, nil, integration.Start(t, &integration.Options{Program: program}))
		versions, err := client.Versions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range versions {
			// Debian's next release moves on, and never back.
			if program == integration.NewestMemcached && newer(got, want) {
				t.Logf("%s is %s: the README may say so", program, got)
			} else if !strings.HasPrefix(got, want) {
				t.Errorf("%s is %s, want %s", program, got, want)
			}
		}
	}
}

// newer reports whether a version is above another.
func newer(version, than string) bool {
	var a, b [3]int
	fmt.Sscanf(version, "%d.%d.%d", &a[0], &a[1], &a[2])
	fmt.Sscanf(than, "%d.%d.%d", &b[0], &b[1], &b[2])
	for i := range a {
		if a[i] != b[i] {
			return a[i] > b[i]
		}
	}
	return false
}

// TestVersions_Mechanisms: the newest memcached authenticates as the old one.
func TestVersions_Mechanisms(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, &integration.Options{
		Program: integration.NewestMemcached, Users: users,
		Mechanisms: []string{"PLAIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"},
	})
	for name, mechanism := range map[string]func(username, password string) sasl.Mechanism{
		"PLAIN": sasl.Plain, "CRAM-MD5": sasl.CramMD5, "Auto": sasl.Auto,
		"SCRAM-SHA-1": sasl.ScramSHA1, "SCRAM-SHA-256": sasl.ScramSHA256, "SCRAM-SHA-512": sasl.ScramSHA512,
	} {
		t.Run(name, func(t *testing.T) {
			client := open(t, &memcached.Options{Auth: mechanism(username, password)}, server)
			store(t, client, "key", name)
			wantValue(t, client, "key", name)
			client = open(t, &memcached.Options{Auth: mechanism(username, "wrong")}, server)
			_, err := client.Get(t.Context(), "key")
			wantError(t, "Get with a wrong password", err, memcached.ErrAuth, server.Addr(), "refused")
		})
	}
	client := open(t, nil, server)
	_, err := client.Get(t.Context(), "key")
	wantError(t, "Get without credentials", err, memcached.ErrAuth, server.Addr(), "Auth")
}

// TestVersions_TextOnly: whoever speaks only the text protocol is named as such
// at once, from the first bytes that it sends or from its closing.
func TestVersions_TextOnly(t *testing.T) {
	t.Parallel()
	const atOnce = 15 * time.Second // on a busy machine, and far below Timeout
	for _, test := range []struct {
		program integration.Program
		text    integration.Text
	}{
		{integration.Memcached, integration.TextOnly},
		{integration.Memcached, integration.TextPassword},
		{integration.NewestMemcached, integration.TextOnly},
		{integration.NewestMemcached, integration.TextPassword},
		{integration.NewestMemcached, integration.TextProxy},
	} {
		t.Run(fmt.Sprint(test.program, " ", test.text), func(t *testing.T) {
			t.Parallel()
			server := integration.Start(t, &integration.Options{Program: test.program, Text: test.text})
			for name, auth := range map[string]sasl.Mechanism{"without SASL": nil, "with SASL": sasl.Plain(username, password)} {
				client := open(t, &memcached.Options{Auth: auth, Timeout: time.Hour}, server)
				said := make(chan error, 1)
				go func() {
					_, err := client.Get(t.Context(), "key")
					said <- err
				}()
				select {
				case err := <-said:
					wantError(t, "Get "+name, err, memcached.ErrUnavailable, server.Addr(), "only the text protocol")
				case <-time.After(atOnce):
					t.Errorf("Get %s says nothing, want an error at once", name)
				}
			}
		})
	}
}
