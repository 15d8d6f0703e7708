package session_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
)

func TestNew_WithoutAClientPanics(t *testing.T) {
	var none *memcached.Client
	for constructor, make := range constructors {
		for name, client := range map[string]session.Client{"nil": nil, "typed nil": none} {
			func() {
				defer func() {
					if got, want := recover(), "session: "+constructor+": client is nil"; got != want {
						t.Errorf("%s of a client that is %s panics with %v, want %q", constructor, name, got, want)
					}
				}()
				_ = make(client, nil, authKey)
			}()
		}
	}
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
