package session_test

import (
	"math"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/session"
)

// TestTimeouts_ThatNeverEnd: the longest duration is how "no limit" is written.
func TestTimeouts_ThatNeverEnd(t *testing.T) {
	const forever = time.Duration(math.MaxInt64)
	for name, opts := range map[string]*session.Options{
		"absolute": {AbsoluteTimeout: forever},
		"idle":     {IdleTimeout: forever},
		"both":     {IdleTimeout: forever, AbsoluteTimeout: forever},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				_, store := newStore(t, opts)
				b := newLogin(t, store, "ada")
				other := newLogin(t, store, "ada")
				b.set(store, "k", 1)
				time.Sleep(10 * time.Minute)
				b.wantValue(store, "user", "ada")
				other.wantValue(store, "user", "ada")
				if infos, err := store.List(t.Context(), "ada"); len(infos) != 2 || err != nil {
					t.Errorf("List = %d sessions, %v, want 2", len(infos), err)
				}
			})
		})
	}
}
