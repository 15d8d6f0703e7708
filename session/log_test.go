package session_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"
)

func TestLogs_AreLimitedAndSayNothingSecret(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var logs bytes.Buffer
		server := memcachedtest.Start(t, nil)
		client, err := memcached.New([]string{server.Addr()}, &memcached.Options{DialContext: server.DialContext, Timeout: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		store := storeOn(t, client, &session.Options{Logger: slog.New(slog.NewTextHandler(&logs, nil))}, authKey)
		b := newBrowser(t)
		b.set(store, "k", "value")
		b.gin(store, func(c *gin.Context) {
			if err := session.Bind(c, "ada"); err != nil {
				t.Errorf("Bind: %v", err)
			}
		})
		keys := server.Keys()
		if logs.Len() > 0 {
			t.Errorf("logged while all is well: %s", &logs)
		}
		silent(server)
		start := time.Now()
		for range 1000 {
			b.gorilla(store, func(_ http.ResponseWriter, _ *http.Request, _ *sessions.Session, err error) {
				if !errors.Is(err, session.ErrUnavailable) {
					t.Errorf("Get: %v, want ErrUnavailable", err)
				}
			})
		}
		if n := strings.Count(logs.String(), "\n"); n != 1 {
			t.Errorf("%d lines logged for 1,000 failures, want 1:\n%s", n, &logs)
		}
		time.Sleep(10*time.Second - 2*time.Millisecond - time.Since(start)) // a failure takes the timeout of a millisecond
		b.value(store, "k")
		if n := strings.Count(logs.String(), "\n"); n != 1 {
			t.Errorf("%d lines logged within ten seconds, want 1:\n%s", n, &logs)
		}
		time.Sleep(10*time.Second + 2*time.Millisecond - time.Since(start))
		b.value(store, "k")
		if !strings.Contains(logs.String(), "omitted=1000") {
			t.Errorf("the next line does not count the omitted ones:\n%s", &logs)
		}
		secrets := append(keys, "ada", "value", b.cookie(cookieName))
		for _, secret := range secrets {
			if strings.Contains(logs.String(), secret) {
				t.Errorf("the log contains %q:\n%s", secret, &logs)
			}
		}
	})
}

// Not parallel: it replaces the program's logger.
func TestLogger_OfNilOptionsIsTheDefault(t *testing.T) {
	var logs bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewTextHandler(&logs, nil)))

	server := memcachedtest.Start(t, nil)
	client := newClient(t, server)
	silenced := &session.Options{Logger: slog.New(slog.DiscardHandler)}
	stores, quiet := scsOn(t, client, nil, authKey), scsOn(t, client, silenced, authKey)
	login, quietLogin := storeOn(t, client, nil, authKey), storeOn(t, client, silenced, authKey)
	server.Close()
	for _, store := range []*session.SCSStore{quiet, stores} {
		if _, _, err := store.Find(scsToken); err == nil {
			t.Error("Find with memcached down = nil, want an error")
		}
	}
	for _, store := range []*session.Store{quietLogin, login} {
		if err := store.RevokeAll(t.Context(), "ada"); err == nil {
			t.Error("RevokeAll with memcached down = nil, want an error")
		}
	}
	for _, event := range []string{"session: sessions cannot be loaded", "session: sessions could not be revoked"} {
		if n := strings.Count(logs.String(), event); n != 1 {
			t.Errorf("%q is logged %d times, want once:\n%s", event, n, &logs)
		}
	}
}
