package session_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
)

// Who can read all of memcached finds no session ID, no cookie and no plain
// text, and cannot make a cookie.
func TestDump_GivesNothingAway(t *testing.T) {
	server := integration.Start(t, nil) // the text protocol lists keys, and knows no SASL
	client, err := memcached.New([]string{server.Addr()}, &memcached.Options{Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	store := newStore(t, client, nil, authKey)
	e := gin.New()
	e.Use(ginsessions.Sessions("session", store), session.Autosave())
	e.GET("/login", func(c *gin.Context) {
		ginsessions.Default(c).Set("e-mail", "ada@example.test")
		ginsessions.Default(c).AddFlash("welcome back")
		if err := errors.Join(session.Renew(c), session.Bind(c, "ada@example.test")); err != nil {
			t.Errorf("login: %v", err)
		}
		c.String(http.StatusOK, ginsessions.Default(c).ID())
	})
	e.GET("/who", func(c *gin.Context) { c.String(http.StatusOK, "%v", ginsessions.Default(c).Get("e-mail")) })
	site := serve(t, e)

	p := newPerson(t, site)
	_, id := p.get("/login")
	p.want("/who", "ada@example.test")
	raw, err := base64.RawURLEncoding.DecodeString(p.cookie("session"))
	if err != nil {
		t.Fatal(err)
	}
	items := dumpOf(t, server, 2) // a session and a roster
	if len(items) != 2 {
		t.Fatalf("memcached holds %d items, want a session and a roster", len(items))
	}
	secrets := [][]byte{
		[]byte("ada@example.test"), []byte("example"), []byte("e-mail"), []byte("welcome"), authKey,
		[]byte(id), []byte(p.cookie("session")), raw, raw[1:33], raw[1:17], raw[17:33],
	}
	for key, value := range items {
		for _, secret := range secrets {
			if bytes.Contains([]byte(key), secret) || bytes.Contains(value, secret) {
				t.Errorf("memcached holds %q", secret)
			}
		}
		for _, forged := range forgeries(key, value) {
			thief := newPerson(t, site)
			thief.client.Jar.SetCookies(thief.url(), []*http.Cookie{{Name: "session", Value: forged}})
			thief.want("/who", "<nil>")
		}
	}
}

// forgeries are cookies that one might try to make of a record.
func forgeries(key string, value []byte) []string {
	_, name, _ := strings.Cut(key, ":")
	raw, _ := base64.RawURLEncoding.DecodeString(name)
	var all []string
	for _, content := range [][]byte{[]byte(key), []byte(name), raw, value, append([]byte{1}, raw...), append(append([]byte{1}, raw...), make([]byte, 32)...)} {
		all = append(all, base64.RawURLEncoding.EncodeToString(content))
	}
	return append(all, url.QueryEscape(key), name)
}

// dumpOf is dump, once it has n sessions and rosters at least: the crawler passes
// by items that a connection still holds, after it has sent them (crawler.c).
func dumpOf(t *testing.T, server *integration.Server, n int) (items map[string][]byte) {
	t.Helper()
	eventually(t, fmt.Sprintf("a dump of %d sessions and rosters", n), func() bool {
		items = dump(t, server)
		found := 0
		for key := range items {
			if strings.HasPrefix(key, "session:") {
				found++
			}
		}
		return found >= n
	})
	return items
}

// dump returns everything that a server holds.
func dump(t *testing.T, server *integration.Server) map[string][]byte {
	t.Helper()
	conn, err := server.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	lines := bufio.NewReader(conn)
	line := func() string {
		text, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("reading the dump: %v", err)
		}
		return strings.TrimSpace(text)
	}
	fmt.Fprint(conn, "lru_crawler metadump all\r\n")
	items := map[string][]byte{}
	for text := line(); text != "END"; text = line() {
		field, _, _ := strings.Cut(text, " ")
		key, err := url.QueryUnescape(strings.TrimPrefix(field, "key="))
		if err != nil || key == field {
			t.Fatalf("the dump has the line %q", text)
		}
		items[key] = nil
	}
	for key := range items {
		fmt.Fprintf(conn, "get %s\r\n", key)
		var name string
		var flags, size int
		if head := line(); head != "END" {
			if _, err := fmt.Sscanf(head, "VALUE %s %d %d", &name, &flags, &size); err != nil {
				t.Fatalf("get answered %q: %v", head, err)
			}
			value := make([]byte, size+2)
			if _, err := io.ReadFull(lines, value); err != nil {
				t.Fatal(err)
			}
			items[key] = value[:size]
			line() // END
		}
	}
	return items
}
