package session_test

import (
	"errors"
	"reflect"
	"sync"
	"testing"

	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"
)

// addFlash leaves a message for a later page.
func (b *browser) addFlash(store ginsessions.Store, message any, vars ...string) {
	b.t.Helper()
	b.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.AddFlash(message, vars...)
		mustSave(b.t, s)
	})
}

// flashes reads the messages that are there and saves.
func (b *browser) flashes(store ginsessions.Store, vars ...string) (messages []any) {
	b.t.Helper()
	b.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		messages = s.Flashes(vars...)
		mustSave(b.t, s)
	})
	return messages
}

func TestFlash_DeliveredOnce(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.addFlash(store, "saved")
	b.addFlash(store, "twice")
	b.addFlash(store, "warned", "warnings")
	if got, want := b.flashes(store), []any{"saved", "twice"}; !reflect.DeepEqual(got, want) {
		t.Errorf("Flashes() = %v, want %v", got, want)
	}
	if got := b.flashes(store); len(got) != 0 {
		t.Errorf("Flashes() again = %v, want none", got)
	}
	if got, want := b.flashes(store, "warnings"), []any{"warned"}; !reflect.DeepEqual(got, want) {
		t.Errorf("Flashes(warnings) = %v, want %v", got, want)
	}
}

// parallelReaders runs read in ten requests that have all loaded the session
// before any goes on, and returns how many were given the message.
func parallelReaders(t *testing.T, b *browser, serve func(gin.HandlerFunc), read func(s ginsessions.Session) bool) int {
	const n = 10
	var wg, loaded sync.WaitGroup
	var mu sync.Mutex
	delivered := 0
	start := make(chan struct{})
	loaded.Add(n)
	for range n {
		wg.Go(func() {
			serve(func(c *gin.Context) {
				s := ginsessions.Default(c)
				s.Get("anything")
				loaded.Done()
				<-start
				if read(s) {
					mu.Lock()
					delivered++
					mu.Unlock()
				}
			})
		})
	}
	loaded.Wait()
	close(start)
	wg.Wait()
	return delivered
}

func TestFlash_OneOfTenParallelReadersGetsIt(t *testing.T) {
	_, store := newStore(t, nil)
	for range 20 {
		b := newBrowser(t)
		b.addFlash(store, "saved")
		delivered := parallelReaders(t, b, func(h gin.HandlerFunc) { b.gin(store, h) }, func(s ginsessions.Session) bool {
			messages := s.Flashes()
			err := s.Save()
			if err != nil && !errors.Is(err, session.ErrConflict) {
				t.Errorf("Save: %v, want ErrConflict", err)
			}
			return err == nil && len(messages) == 1
		})
		if delivered != 1 {
			t.Errorf("%d of 10 parallel readers got the message, want 1", delivered)
		}
	}
}

func TestFlash_WithAutosaveReadersNeedNotLookAtErrors(t *testing.T) {
	_, store := newStore(t, nil)
	for range 20 {
		b := newBrowser(t)
		b.addFlash(store, "saved")
		delivered := parallelReaders(t, b, func(h gin.HandlerFunc) { b.autosave(store, h) }, func(s ginsessions.Session) bool {
			return len(s.Flashes()) == 1
		})
		if delivered != 1 {
			t.Errorf("%d of 10 parallel readers got the message, want 1", delivered)
		}
	}
}

func TestFlash_LoserCanSaveTheRest(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.addFlash(store, "saved")
	b.addFlash(store, "other", "others")
	b.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.Flashes()
		s.Flashes("others")
		s.Set("k", 1)
		b.copy().flashes(store)
		if err := s.Save(); !errors.Is(err, session.ErrConflict) {
			t.Errorf("Save: %v, want ErrConflict", err)
		}
		mustSave(t, s)
	})
	b.wantValue(store, "k", 1)
	if got := b.flashes(store, "others"); len(got) != 0 {
		t.Errorf("Flashes(others) = %v, want none: they were taken", got)
	}
}

func TestFlash_AddedWhileAnotherReads(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.addFlash(store, "first")
	b.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.AddFlash("mine")
		b.copy().addFlash(store, "theirs")
		if got, want := b.copy().flashes(store), []any{"first", "theirs"}; !reflect.DeepEqual(got, want) {
			t.Errorf("Flashes() of another = %v, want %v", got, want)
		}
		mustSave(t, s)
	})
	if got, want := b.flashes(store), []any{"mine"}; !reflect.DeepEqual(got, want) {
		t.Errorf("Flashes() = %v, want %v", got, want)
	}
}

func TestFlash_AutosaveKeepsThemWhenTheyCannotBeTaken(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.addFlash(store, "saved")
	b.autosave(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.Get("k")
		server.Close()
		if got := s.Flashes(); len(got) != 0 {
			t.Errorf("Flashes() = %v, want none", got)
		}
		inner := s.(interface{ Session() *sessions.Session }).Session()
		if got := inner.Flashes(); !reflect.DeepEqual(got, []any{"saved"}) {
			t.Errorf("messages left = %v, want saved", got)
		}
	})
}
