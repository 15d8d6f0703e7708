package session_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
	"github.com/gorilla/sessions"
)

// What the documentation says of single functions, where no other test does.

func TestErrors_AreTheClients(t *testing.T) {
	if session.ErrUnavailable != memcached.ErrUnavailable || session.ErrTooLarge != memcached.ErrTooLarge {
		t.Error("ErrUnavailable and ErrTooLarge are not the client's")
	}
}

func TestForeignSession_IsRefused(t *testing.T) {
	_, store := newStore(t, nil)
	_, other := newStore(t, nil)
	newLogin(t, other, "ada").gorilla(other, func(_ http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		for what, err := range map[string]error{
			"Renew":    store.Renew(r, s),
			"Bind":     store.Bind(r, s, "ada"),
			"Label":    store.Label(r, s, "phone"),
			"Remember": store.Remember(r, s, time.Hour),
		} {
			if err == nil {
				t.Errorf("%s of a session of another store = nil, want an error", what)
			}
		}
		if got := store.Handle(s); got != "" {
			t.Errorf("Handle of a session of another store = %q", got)
		}
	})
}

func TestList_CostsOneOperationForEachKeyPair(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	client := newClient(t, server)
	for want, keys := range map[string][][]byte{
		"GET":     {keyOf("new")},
		"GET GET": {keyOf("new"), nil, keyOf("old")},
	} {
		store := storeOn(t, client, nil, keys...)
		newLogin(t, store, "ada")
		server.ForgetRequests()
		if _, err := store.List(t.Context(), "ada"); err != nil {
			t.Error(err)
		}
		if got := operations(server); got != want {
			t.Errorf("List: %q, want %q", got, want)
		}
	}
}

func TestRevokeAll_CostsTwoOperationsForEachOfSeveralKeyPairs(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	store := storeOn(t, newClient(t, server), nil, keyOf("new"), nil, keyOf("old"))
	newLogin(t, store, "ada")
	server.ForgetRequests()
	if err := store.RevokeAll(t.Context(), "ada"); err != nil {
		t.Error(err)
	}
	if got := operations(server); got != "DELETE DELETE DELETE DELETE" {
		t.Errorf("RevokeAll: %q, want four times DELETE", got)
	}
}

func TestRevoke_HonoursTheDeadlineNotTheCancellation(t *testing.T) {
	_, store := newStore(t, nil)
	ended, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for name, revoke := range map[string]func(ctx context.Context, handle string) error{
		"RevokeAll":    func(ctx context.Context, _ string) error { return store.RevokeAll(ctx, "ada") },
		"Revoke":       func(ctx context.Context, handle string) error { return store.Revoke(ctx, "ada", handle) },
		"RevokeOthers": func(ctx context.Context, handle string) error { return store.RevokeOthers(ctx, "ada", handle) },
	} {
		mine, other := newLogin(t, store, "ada"), newLogin(t, store, "ada")
		if err := revoke(ended, other.handle(store)); !errors.Is(err, session.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s after the deadline: %v, want ErrUnavailable and DeadlineExceeded", name, err)
		}
		mine.wantValue(store, "user", "ada")
		other.wantValue(store, "user", "ada")
		handle := other.handle(store)
		if name == "RevokeOthers" {
			handle = mine.handle(store)
		}
		if err := revoke(cancelled(t), handle); err != nil {
			t.Errorf("%s of a request that was cancelled: %v", name, err)
		}
		other.wantValue(store, "user", nil)
	}
}

// The limits of a lifetime in memory: a session that ended by its idle timeout is
// listed for five minutes more at most.
func TestList_ShowsWhatEndedForFiveMinutesMoreAtMost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, nil)
		newLogin(t, store, "ada")
		for _, c := range []struct {
			wait time.Duration
			want int
		}{{19 * time.Minute, 1}, {6*time.Minute + 2*time.Second, 0}} {
			time.Sleep(c.wait)
			if infos, err := store.List(t.Context(), "ada"); len(infos) != c.want || err != nil {
				t.Errorf("List %v later = %v, %v, want %d sessions", c.wait, infos, err, c.want)
			}
		}
	})
}
