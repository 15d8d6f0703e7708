package session_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
)

// scsCtxStore is scs.CtxStore of github.com/alexedwards/scs/v2, so that the
// root module need not know scs.
type scsCtxStore interface {
	Delete(token string) (err error)
	Find(token string) (b []byte, found bool, err error)
	Commit(token string, b []byte, expiry time.Time) (err error)
	DeleteCtx(ctx context.Context, token string) (err error)
	FindCtx(ctx context.Context, token string) (b []byte, found bool, err error)
	CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) (err error)
}

var _ scsCtxStore = (*session.SCSStore)(nil)

const scsToken = "Zm9yIHRlc3RzIG9ubHksIG5vdCByYW5kb20gYXQgYWxs"

func newSCS(t testing.TB, opts *session.Options) (*memcachedtest.Server, *session.SCSStore) {
	t.Helper()
	server := memcachedtest.Start(t, nil)
	return server, scsOn(t, newClient(t, server), opts, authKey)
}

// wantFound fails the test unless the token has the data.
func wantFound(t *testing.T, store *session.SCSStore, token, want string) {
	t.Helper()
	if data, found, err := store.Find(token); string(data) != want || !found || err != nil {
		t.Errorf("Find = %q, %t, %v, want %q", data, found, err, want)
	}
}

func wantNotFound(t *testing.T, store *session.SCSStore, token string) {
	t.Helper()
	if data, found, err := store.Find(token); found || err != nil {
		t.Errorf("Find = %q, %t, %v, want not found", data, found, err)
	}
}

func TestSCS_CommitFindDelete(t *testing.T) {
	_, store := newSCS(t, nil)
	for _, data := range []string{"first", "", "second", strings.Repeat("x", 100_000)} {
		if err := store.Commit(scsToken, []byte(data), time.Now().Add(time.Minute)); err != nil {
			t.Fatalf("Commit: %v", err)
		}
		wantFound(t, store, scsToken, data)
	}
	if err := store.Delete(scsToken); err != nil {
		t.Errorf("Delete: %v", err)
	}
	wantNotFound(t, store, scsToken)
}

func TestSCS_TokensThatAreNoneAreNotFound(t *testing.T) {
	server, store := newSCS(t, nil)
	wantNotFound(t, store, "never stored")
	server.ForgetRequests()
	for name, token := range map[string]string{
		"missing":    "",
		"CR and LF":  "a\r\nset x 0 0 1\r\n1",
		"space":      "a b",
		"NUL":        "a\x00b",
		"not ASCII":  "ü",
		"oversized":  strings.Repeat("a", 513),
		"huge":       strings.Repeat("a", 1<<20),
		"delete":     "\x7f",
		"not UTF-8":  "\xff\xfe",
		"only blank": " ",
	} {
		t.Run(name, func(t *testing.T) {
			wantNotFound(t, store, token)
			if err := store.Delete(token); err != nil {
				t.Errorf("Delete: %v", err)
			}
			if err := store.Commit(token, []byte("x"), time.Now().Add(time.Minute)); err == nil {
				t.Error("Commit = nil, want an error")
			}
		})
	}
	if n := server.RequestCount(); n != 0 {
		t.Errorf("%d requests to memcached, want 0", n)
	}
}

func TestSCS_DeleteOfAMissingToken(t *testing.T) {
	_, store := newSCS(t, nil)
	if err := store.Delete(scsToken); err != nil {
		t.Errorf("Delete: %v", err)
	}
}

func TestSCS_ExpiryInThePastIsNotStored(t *testing.T) {
	_, store := newSCS(t, nil)
	for _, expiry := range []time.Time{time.Now().Add(-time.Hour), time.Now(), {}} {
		if err := store.Commit(scsToken, []byte("x"), expiry); err != nil {
			t.Errorf("Commit with the expiry %v: %v", expiry, err)
		}
		wantNotFound(t, store, scsToken)
	}
	other := scsToken + "2"
	if err := store.Commit(other, []byte("x"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := store.Commit(other, []byte("y"), time.Now().Add(-time.Hour)); err != nil {
		t.Errorf("Commit with a past expiry: %v", err)
	}
	wantNotFound(t, store, other)
}

func TestSCS_ExpiryIsExact(t *testing.T) {
	for _, life := range []time.Duration{50 * time.Millisecond, 900 * time.Millisecond, 1500 * time.Millisecond, time.Hour, 40 * 24 * time.Hour} {
		bubble(t, func(t *testing.T) {
			server, store := newSCS(t, nil)
			time.Sleep(950 * time.Millisecond) // late in a second of the server's clock
			if err := store.Commit(scsToken, []byte("x"), time.Now().Add(life)); err != nil {
				t.Fatal(err)
			}
			for _, key := range server.Keys() {
				if item, _ := server.Item(key); item.TTL <= 0 || item.TTL > life+3*time.Second {
					t.Errorf("time to live = %v for an expiry in %v", item.TTL, life)
				}
			}
			time.Sleep(life - 10*time.Millisecond)
			wantFound(t, store, scsToken, "x")
			time.Sleep(10 * time.Millisecond)
			wantNotFound(t, store, scsToken)
		})
	}
}

func TestSCS_LongExpiryLives(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newSCS(t, nil)
		if err := store.Commit(scsToken, []byte("x"), time.Now().Add(31*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(31*24*time.Hour - 2*time.Second)
		wantFound(t, store, scsToken, "x")
	})
}

func TestSCS_DeletedTokenCannotComeBack(t *testing.T) {
	_, store := newSCS(t, nil)
	if err := store.Commit(scsToken, []byte("x"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := store.Delete(scsToken); err != nil {
		t.Fatal(err)
	}
	if err := store.Commit(scsToken, []byte("zombie"), time.Now().Add(time.Hour)); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("Commit after Delete: %v, want ErrNotFound", err)
	}
	wantNotFound(t, store, scsToken)
}

// raced is a client that runs a function before its next write.
type raced struct {
	session.Client
	before func()
}

func (r *raced) run() {
	if before := r.before; before != nil {
		r.before = nil
		before()
	}
}

func (r *raced) Add(ctx context.Context, item *memcached.Item) error {
	r.run()
	return r.Client.Add(ctx, item)
}

func (r *raced) CompareAndSwap(ctx context.Context, item *memcached.Item) error {
	r.run()
	return r.Client.CompareAndSwap(ctx, item)
}

func TestSCS_CommitAgainstOthers(t *testing.T) {
	expiry := func() time.Time { return time.Now().Add(time.Hour) }
	for _, exists := range []bool{false, true} {
		server := memcachedtest.Start(t, nil)
		client := &raced{Client: newClient(t, server)}
		store := scsOn(t, client, nil, authKey)
		token := scsToken
		if exists {
			if err := store.Commit(token, keyOf("old"), expiry()); err != nil {
				t.Fatal(err)
			}
		}
		client.before = func() {
			if err := store.Commit(token, []byte("theirs"), expiry()); err != nil {
				t.Errorf("Commit of another: %v", err)
			}
		}
		if err := store.Commit(token, []byte("mine"), expiry()); err != nil {
			t.Errorf("exists %t: Commit against a Commit: %v", exists, err)
		}
		wantFound(t, store, token, "mine")
		client.before = func() {
			if err := store.Delete(token); err != nil {
				t.Errorf("Delete of another: %v", err)
			}
		}
		if err := store.Commit(token, []byte("zombie"), expiry()); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("exists %t: Commit against a Delete: %v, want ErrNotFound", exists, err)
		}
		wantNotFound(t, store, token)
	}
}

func TestSCS_FirstCommitAgainstADelete(t *testing.T) {
	client := &raced{Client: newClient(t, memcachedtest.Start(t, nil))}
	store := scsOn(t, client, nil, authKey)
	client.before = func() {
		if err := store.Delete(scsToken); err != nil {
			t.Errorf("Delete: %v", err)
		}
	}
	if err := store.Commit(scsToken, []byte("zombie"), time.Now().Add(time.Hour)); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("Commit against a Delete: %v, want ErrNotFound", err)
	}
	wantNotFound(t, store, scsToken)
}

func TestSCS_ExpiryInTheFarFuture(t *testing.T) {
	_, store := newSCS(t, nil)
	for _, year := range []int{2400, 9999, 10_000, 1_000_000} {
		if err := store.Commit(scsToken, []byte("x"), time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil {
			t.Errorf("Commit with an expiry in %d: %v", year, err)
		}
		wantFound(t, store, scsToken, "x")
	}
}

func TestSCS_DumpGivesNothingAway(t *testing.T) {
	server, store := newSCS(t, nil)
	if err := store.Commit(scsToken, []byte("plain text"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for _, key := range server.Keys() {
		item, _ := server.Item(key)
		if strings.Contains(key, scsToken) || bytes.Contains(item.Value, []byte(scsToken)) || bytes.Contains(item.Value, []byte("plain")) {
			t.Error("memcached holds the token or the data")
		}
	}
}

func TestSCS_Errors(t *testing.T) {
	server, store := newSCS(t, &session.Options{MaxSize: 1000})
	expiry := time.Now().Add(time.Hour)
	if err := store.Commit(scsToken, []byte("x"), expiry); err != nil {
		t.Fatal(err)
	}
	if err := store.Commit(scsToken, make([]byte, 1000), expiry); !errors.Is(err, session.ErrTooLarge) {
		t.Errorf("Commit above MaxSize: %v, want ErrTooLarge", err)
	}
	wantFound(t, store, scsToken, "x")

	key := server.Keys()[0]
	item, _ := server.Item(key)
	item.Value[0] = 9
	server.SetItem(item)
	if _, found, err := store.Find(scsToken); found || !errors.Is(err, session.ErrDecode) {
		t.Errorf("Find of a newer format = %t, %v, want ErrDecode", found, err)
	}

	server.Close()
	_, _, err := store.Find(scsToken)
	for what, err := range map[string]error{"Find": err, "Commit": store.Commit(scsToken, nil, expiry), "Delete": store.Delete(scsToken)} {
		if !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("%s with memcached down: %v, want ErrUnavailable", what, err)
		}
	}
}

func FuzzSCS_Token(f *testing.F) {
	_, store := newSCS(f, nil)
	for _, token := range []string{"", "a", scsToken, "a\r\nb", strings.Repeat("x", 600)} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if _, found, err := store.Find(token); found || err != nil {
			t.Fatalf("Find(%q) = %t, %v, want not found", token, found, err)
		}
	})
}

// Scs's Iterate would panic with a store that has no All.
func TestSCS_SessionsCannotBeListed(t *testing.T) {
	_, store := newSCS(t, nil)
	if all, err := store.All(); all != nil || err == nil {
		t.Errorf("All = %v, %v, want an error", all, err)
	}
	if all, err := store.AllCtx(t.Context()); all != nil || err == nil {
		t.Errorf("AllCtx = %v, %v, want an error", all, err)
	}
}

// What the documentation says that scs cannot have: it stores sessions whole.
func TestSCS_LaterCommitReplacesTheEarlierOne(t *testing.T) {
	_, store := newSCS(t, nil)
	for _, data := range []string{"both had read this", "one's change", "the other's change"} {
		if err := store.Commit(scsToken, []byte(data), time.Now().Add(time.Hour)); err != nil {
			t.Errorf("Commit: %v", err)
		}
	}
	wantFound(t, store, scsToken, "the other's change")
}

// Scs does not say which token came of which: RenewToken deletes the old one and
// commits the new one, and a logout that comes in between deletes the old one.
func TestSCS_LogoutBesideRenewTokenEndsTheOldTokenOnly(t *testing.T) {
	_, store := newSCS(t, nil)
	expiry := time.Now().Add(time.Hour)
	if err := errors.Join(store.Commit(scsToken, []byte("data"), expiry), store.Delete(scsToken)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(store.Delete(scsToken), store.Commit("renewed", []byte("data"), expiry)); err != nil {
		t.Errorf("logout and Commit: %v", err)
	}
	wantNotFound(t, store, scsToken)
	wantFound(t, store, "renewed", "data")
}
