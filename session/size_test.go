package session_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
)

func TestSizes(t *testing.T) {
	server, store := newStore(t, &session.Options{MaxSize: 110_000})
	b := newBrowser(t)
	for _, size := range []int{1, 10, 100, 1000, 10_000, 100_000} {
		b.set(store, "data", strings.Repeat("x", size))
		if got, _ := b.value(store, "data").(string); len(got) != size {
			t.Errorf("%d bytes came back as %d", size, len(got))
		}
	}
	server.ForgetRequests()
	b.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.Set("data", strings.Repeat("x", 110_000))
		if err := s.Save(); !errors.Is(err, session.ErrTooLarge) || !errors.Is(err, memcached.ErrTooLarge) {
			t.Errorf("Save above MaxSize: %v, want ErrTooLarge", err)
		}
	})
	if got := operations(server); got != "GAT" {
		t.Errorf("operations = %q, want nothing but the load", got)
	}
	if got, _ := b.value(store, "data").(string); len(got) != 100_000 {
		t.Errorf("the previous session has %d bytes, want 100,000", len(got))
	}
}

func TestSizes_AboveTheServersLimit(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "data", strings.Repeat("x", 1_040_000))
	for _, size := range []int{1 << 20, 4 << 20} {
		b.gin(store, func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Set("data", strings.Repeat("y", size))
			if err := s.Save(); !errors.Is(err, session.ErrTooLarge) {
				t.Errorf("Save of %d bytes: %v, want ErrTooLarge", size, err)
			}
		})
	}
	if got, _ := b.value(store, "data").(string); len(got) != 1_040_000 {
		t.Errorf("the previous session has %d bytes, want 1,040,000", len(got))
	}
}
