package session_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
)

func TestParallelRequests_LoseNothing(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "start", true)
	const n = 20
	var wg sync.WaitGroup
	loaded := make(chan struct{})
	var ready sync.WaitGroup
	ready.Add(n)
	for i := range n {
		wg.Go(func() {
			b.gin(store, func(c *gin.Context) {
				s := ginsessions.Default(c)
				s.Set(fmt.Sprint("key", i), i)
				ready.Done()
				<-loaded // all have loaded before any saves
				mustSave(t, s)
			})
		})
	}
	ready.Wait()
	close(loaded)
	wg.Wait()
	for i := range n {
		b.wantValue(store, fmt.Sprint("key", i), i)
	}
}

func TestConflict_IsGivenUpInTheEnd(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		if r.CAS != 0 {
			return memcachedtest.Action{Status: memcached.StatusKeyExists}
		}
		return memcachedtest.Action{}
	})
	server.ForgetRequests()
	b.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.Set("k", 2)
		if err := s.Save(); !errors.Is(err, session.ErrConflict) {
			t.Errorf("Save: %v, want ErrConflict", err)
		}
		if err := session.Renew(c); !errors.Is(err, session.ErrConflict) {
			t.Errorf("Renew: %v, want ErrConflict", err)
		}
	})
	if n := server.RequestCount(); n > 300 {
		t.Errorf("%d requests, want a few at most", n)
	}
	server.Intercept(nil)
	b.wantValue(store, "k", 1)
}

func TestServerWithoutVersions(t *testing.T) {
	server := memcachedtest.Start(t, &memcachedtest.Options{DisableCAS: true})
	store := storeOn(t, newClient(t, server), nil, authKey)
	b := newBrowser(t)
	b.set(store, "k", 1)
	b.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.Set("k", 2)
		if err := s.Save(); err == nil || !strings.Contains(err.Error(), "-C") {
			t.Errorf("Save on a server without versions: %v, want an error that says why", err)
		}
	})
	b.wantValue(store, "k", 1)
}
