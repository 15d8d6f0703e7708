package memcached_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// What a server may put into the texts of its answers once it knows a password.
var echoes = map[string]func(string) string{
	"plain":  func(s string) string { return s },
	"base64": func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"url":    url.QueryEscape,
	"hex":    func(s string) string { return hex.EncodeToString([]byte(s)) },
}

// How a server may answer the requests of the exchange with a text: each is an
// answer to the op, and those to lists are what it says on a later connection.
var echoAnswers = []struct {
	name string
	op   string
	says func(opaque uint32, text string) []byte
}{
	{"refused", memcachedtest.OpSASLAuth, func(o uint32, text string) []byte { return said(codeAuth, 0x20, o, 0, "", "", text) }},
	{"internal error", memcachedtest.OpSASLAuth, func(o uint32, text string) []byte { return said(codeAuth, 0x84, o, 0, "", "", text) }},
	{"unknown status", memcachedtest.OpSASLAuth, func(o uint32, text string) []byte { return said(codeAuth, 0x77, o, 0, "", "", text) }},
	{"unknown command", memcachedtest.OpSASLAuth, func(o uint32, text string) []byte { return said(codeAuth, 0x81, o, 0, "", "", text) }},
	{"challenge", memcachedtest.OpSASLAuth, func(o uint32, text string) []byte { return said(codeAuth, 0x21, o, 0, "", "", text) }},
	{"error of SCRAM", memcachedtest.OpSASLAuth, func(o uint32, text string) []byte { return said(codeAuth, 0x21, o, 0, "", "", "e="+text) }},
	{"success", memcachedtest.OpSASLAuth, func(o uint32, text string) []byte { return said(codeAuth, 0, o, 0, "", "", text) }},
	{"text", memcachedtest.OpSASLAuth, func(_ uint32, text string) []byte { return []byte("SERVER_ERROR " + text + "\r\n") }},
	{"the request", memcachedtest.OpSASLAuth, func(_ uint32, text string) []byte { return []byte("\x80\x21" + text + strings.Repeat("\x00", 24)) }},
	{"last message of SCRAM", memcachedtest.OpSASLStep, func(o uint32, text string) []byte { return said(codeStep, 0x21, o, 0, "", "", "e="+text) }},
	{"a step's error", memcachedtest.OpSASLStep, func(o uint32, text string) []byte { return said(codeStep, 0x84, o, 0, "", "", text) }},
	{"list", memcachedtest.OpSASLList, func(o uint32, text string) []byte { return said(codeList, 0, o, 0, "", "", text+" GSSAPI") }},
	{"error of the list", memcachedtest.OpSASLList, func(o uint32, text string) []byte { return said(codeList, 0x84, o, 0, "", "", text) }},
	{"text instead of a list", memcachedtest.OpSASLList, func(_ uint32, text string) []byte { return []byte("ERROR " + text + "\r\n") }},
	{"proof", memcachedtest.OpGet, func(o uint32, text string) []byte { return said(codeGet, 0x84, o, 0, "", "", text) }},
}

const codeStep = 0x22

// TestAuth_TextsOfServersAreNotRepeated: a server that knows the password, as
// PLAIN tells it, and repeats it in what it answers to the exchange or to the
// next one, does not get it into an error or a log.
func TestAuth_TextsOfServersAreNotRepeated(t *testing.T) {
	const user, password = "app", "a secret/password+1"
	for name, auth := range map[string]sasl.Mechanism{
		"PLAIN": sasl.Plain(user, password), "CRAM-MD5": sasl.CramMD5(user, password), "SCRAM-SHA-1": sasl.ScramSHA1(user, password),
		"SCRAM-SHA-256": sasl.ScramSHA256(user, password), "SCRAM-SHA-512": sasl.ScramSHA512(user, password), "Auto": sasl.Auto(user, password),
	} {
		for _, answer := range echoAnswers {
			for how, encode := range echoes {
				t.Run(name+"/"+answer.name+"/"+how, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						server := newServer(t, &memcachedtest.Options{
							Users:      map[string]string{user: password},
							Mechanisms: []string{"PLAIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"},
						})
						server.Intercept(func(r memcachedtest.Request) (a memcachedtest.Action) {
							switch {
							case r.Key == "k": // so that operations have to prove the next connection
								a.Edit = func([]byte) []byte { return said(codeGet, 0x84, r.Opaque, 0, "", "", "") }
							case r.Op == answer.op:
								a.Edit = func([]byte) []byte {
									return answer.says(r.Opaque, encode("\x00"+user+"\x00"+password)+encode(password))
								}
							}
							return a
						})
						printed := use(t, auth, server)
						for spelled, spell := range echoes {
							if i := strings.Index(printed, spell(password)); i >= 0 {
								t.Fatalf("printed, %s: …%s…", spelled, printed[max(0, i-300):i+40])
							}
						}
						for _, part := range []string{"secret", "c2VjcmV0", hex.EncodeToString([]byte("secret"))} {
							if i := strings.Index(printed, part); i >= 0 {
								t.Fatalf("printed: …%s…", printed[max(0, i-300):i+40])
							}
						}
					})
				})
			}
		}
	}
}

// use runs operations that fail, and returns all that can be read of it.
func use(t *testing.T, auth sasl.Mechanism, server *memcachedtest.Server) (printed string) {
	t.Helper()
	var log logBuffer
	client := newClient(t, memcached.Options{
		Auth: auth, EjectAfter: 1, Logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}, server)
	for range 3 {
		_, err := client.Get(t.Context(), "k")
		printed += inAllWays(err) + inAllWays(client.Ping(t.Context()))
		time.Sleep(100 * time.Millisecond) // it is tried again
	}
	_ = client.Close() // what it does in the background has written
	return printed + log.String()
}

// inAllWays prints err and what it wraps.
func inAllWays(err error) (printed string) {
	if err == nil {
		return ""
	}
	printed = fmt.Sprintf("%v %+v %#v %s %q %x\n", err, err, err, err, err, err)
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		printed += inAllWays(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, each := range e.Unwrap() {
			printed += inAllWays(each)
		}
	}
	return printed
}
