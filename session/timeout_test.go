package session_test

import (
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
)

func TestIdleTimeout_RolledByLoading(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server, store := newStore(t, &session.Options{IdleTimeout: 10 * time.Minute})
		b := newBrowser(t)
		b.set(store, "k", 1)
		server.ForgetRequests()
		for range 10 {
			time.Sleep(9 * time.Minute)
			b.wantValue(store, "k", 1)
		}
		if got := server.RequestCount(); got != 10 {
			t.Errorf("%d requests for 10 loads, want 10", got)
		}
		time.Sleep(10 * time.Minute)
		b.wantValue(store, "k", nil)
	})
}

func TestIdleTimeout_Default(t *testing.T) {
	for _, wait := range []time.Duration{20*time.Minute - 2*time.Second, 20 * time.Minute} {
		bubble(t, func(t *testing.T) {
			_, store := newStore(t, nil)
			b := newBrowser(t)
			b.set(store, "k", 1)
			time.Sleep(wait)
			if alive := b.value(store, "k") == 1; alive != (wait < 20*time.Minute) {
				t.Errorf("after %v the session is alive: %t", wait, alive)
			}
		})
	}
}

func TestAbsoluteTimeout_EndsAnActiveSession(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server, store := newStore(t, nil)
		b := newBrowser(t)
		b.set(store, "k", 0)
		for n := range 12*6 - 1 { // every ten minutes
			time.Sleep(10 * time.Minute)
			b.wantValue(store, "k", n)
			b.set(store, "k", n+1)
		}
		time.Sleep(10*time.Minute - time.Second)
		b.wantValue(store, "k", 12*6-1)
		time.Sleep(time.Second)
		b.wantValue(store, "k", nil)
		if keys := server.Keys(); len(keys) != 0 {
			t.Errorf("memcached still holds %d items", len(keys))
		}
	})
}

// Whenever in a second of the server's clock it was saved.
func TestAbsoluteTimeout_IsExact(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, &session.Options{IdleTimeout: time.Hour, AbsoluteTimeout: 5 * time.Second})
		b := newBrowser(t)
		time.Sleep(950 * time.Millisecond)
		b.set(store, "k", 1)
		time.Sleep(2 * time.Second)
		b.set(store, "k", 2)
		time.Sleep(3*time.Second - 10*time.Millisecond)
		b.wantValue(store, "k", 2)
		time.Sleep(10 * time.Millisecond)
		b.wantValue(store, "k", nil)
	})
}

func TestAbsoluteTimeout_NotExtendedByRenew(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, &session.Options{IdleTimeout: time.Hour, AbsoluteTimeout: time.Hour})
		b := newBrowser(t)
		b.set(store, "k", 1)
		for range 3 {
			time.Sleep(15 * time.Minute)
			b.gin(store, func(c *gin.Context) {
				if err := session.Renew(c); err != nil {
					t.Errorf("Renew: %v", err)
				}
			})
		}
		time.Sleep(15*time.Minute - time.Second)
		b.wantValue(store, "k", 1)
		time.Sleep(time.Second)
		b.wantValue(store, "k", nil)
	})
}

func TestAbsoluteTimeout_CanBeShortenedLater(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server, store := newStore(t, nil)
		b := newBrowser(t)
		b.set(store, "k", 1)
		time.Sleep(10 * time.Minute)
		stricter := storeOn(t, newClient(t, server), &session.Options{AbsoluteTimeout: 5 * time.Minute}, authKey)
		b.wantValue(stricter, "k", nil)
	})
}

func TestAbsoluteTimeout_DuringARequest(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, &session.Options{AbsoluteTimeout: time.Minute})
		b := newBrowser(t)
		b.set(store, "k", 1)
		time.Sleep(30 * time.Second)
		b.gin(store, func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Set("k", 2)
			time.Sleep(30 * time.Second)
			if err := s.Save(); err == nil {
				t.Error("Save of a session that has expired meanwhile = nil, want an error")
			}
		})
		b.wantValue(store, "k", nil)
	})
}

func TestTimeouts_AboveThirtyDays(t *testing.T) {
	for _, idle := range []time.Duration{30 * 24 * time.Hour, 30*24*time.Hour + time.Second, 365 * 24 * time.Hour} {
		bubble(t, func(t *testing.T) {
			_, store := newStore(t, &session.Options{IdleTimeout: idle, AbsoluteTimeout: 1000 * 24 * time.Hour})
			b := newBrowser(t)
			b.set(store, "k", 1)
			for range 2 { // once stored so, once touched
				time.Sleep(idle - 2*time.Second)
				b.wantValue(store, "k", 1)
			}
			time.Sleep(idle)
			b.wantValue(store, "k", nil)
		})
	}
}

func TestTimeouts_FractionsOfASecondAreNotForEver(t *testing.T) {
	server, store := newStore(t, &session.Options{IdleTimeout: time.Millisecond, AbsoluteTimeout: time.Hour})
	newBrowser(t).set(store, "k", 1)
	for _, key := range server.Keys() {
		if item, _ := server.Item(key); item.TTL <= 0 || item.TTL > time.Second {
			t.Errorf("time to live = %v, want up to 1 s", item.TTL)
		}
	}
}
