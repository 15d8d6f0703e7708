package session_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
)

func TestDump_GivesNothingAway(t *testing.T) {
	for name, keys := range map[string][][]byte{"signed": {authKey}, "encrypted": {authKey, blockKey}} {
		t.Run(name, func(t *testing.T) {
			server := memcachedtest.Start(t, nil)
			store := storeOn(t, newClient(t, server), nil, keys...)
			b := newBrowser(t)
			b.gin(store, func(c *gin.Context) {
				s := ginsessions.Default(c)
				s.Set("e-mail address", "ada@example.test")
				s.Set("card number", int64(4111111111111111))
				if err := session.Bind(c, "ada@example.test"); err != nil {
					t.Errorf("Bind: %v", err)
				}
			})
			secrets := [][]byte{[]byte("ada@ex"), []byte("example.test"), []byte("e-mail address"), []byte("card number"), authKey, blockKey}
			secrets = append(secrets, fragments(t, b.cookie(cookieName), b.id(store))...)
			for _, key := range server.Keys() {
				item, _ := server.Item(key)
				for _, secret := range secrets {
					if bytes.Contains([]byte(key), secret) || bytes.Contains(item.Value, secret) {
						t.Errorf("memcached holds %q", secret)
					}
				}
				for _, forged := range []string{key, string(item.Value), strings.TrimPrefix(key, "session:"), base64.URLEncoding.EncodeToString(item.Value)} {
					thief := newBrowser(t)
					thief.jar[cookieName] = strings.Map(cookieOctet, forged)
					thief.wantValue(store, "e-mail address", nil)
				}
			}
		})
	}
}

// fragments are what of a cookie and of an ID would give them away.
func fragments(t *testing.T, cookie, id string) [][]byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(cookie)
	if err != nil {
		t.Fatal(err)
	}
	public, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil {
		t.Fatal(err)
	}
	return [][]byte{[]byte(cookie), []byte(id), raw, public, public[:16], raw[1:17], raw[17:33], raw[1:33]}
}

func cookieOctet(r rune) rune {
	if r <= ' ' || r >= 0x7f || strings.ContainsRune(`";,\`, r) {
		return 'x'
	}
	return r
}
