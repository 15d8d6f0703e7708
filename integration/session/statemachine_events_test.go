package session_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/session"
	"pgregory.net/rapid"
)

// What happens to many sessions at once in the state machine of
// statemachine_test.go, and what it knows of the keys in memcached.

func (m *machine) revokeAll(t *rapid.T) {
	if !seldom(t) {
		return
	}
	user := rapid.SampledFrom([]string{"ada", "bob"}).Draw(t, "user")
	if err := m.stores[0].RevokeAll(t.Context(), user); err != nil {
		t.Fatalf("RevokeAll: %v", err)
	}
	for _, g := range m.grips {
		g.gone = g.gone || g.user == user
	}
}

func (m *machine) revoke(t *rapid.T) {
	if !seldom(t) {
		return
	}
	if len(m.grips) == 0 {
		return
	}
	g := rapid.SampledFrom(m.grips).Draw(t, "handle")
	err := m.stores[1].Revoke(t.Context(), g.user, g.handle)
	if !g.gone && err != nil || g.gone && err != nil && !errors.Is(err, session.ErrNotFound) {
		t.Fatalf("Revoke: %v, and the model says it is gone: %t", err, g.gone)
	}
	g.gone = true
}

// list compares the sessions of a user: those that are alive are there, and none
// that is gone.
func (m *machine) list(t *rapid.T) {
	for _, user := range []string{"ada", "bob"} {
		infos, err := m.stores[0].List(t.Context(), user)
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		listed := map[string]bool{}
		for _, info := range infos {
			listed[info.Handle] = true
		}
		for _, n := range m.cookies {
			if n.alive() && n.grip != nil && n.grip.user == user && !listed[n.grip.handle] {
				t.Fatal("a session that is alive is not listed")
			}
		}
		for _, g := range m.grips {
			if g.gone && listed[g.handle] {
				t.Fatal("a session that was revoked is listed")
			}
		}
	}
}

// evict makes memcached forget records, rosters or both, as eviction, expiry and
// a restart do.
func (m *machine) evict(t *rapid.T) {
	if !seldom(t) {
		return
	}
	what := rapid.SampledFrom([]string{"records", "rosters", "all"}).Draw(t, "what")
	for key := range m.keys.all() {
		if rosters := strings.Contains(key, "user:"); what == "all" || rosters == (what == "rosters") {
			if err := m.clients[0].Delete(t.Context(), key); err != nil && !errors.Is(err, memcached.ErrCacheMiss) {
				t.Fatalf("evicting: %v", err)
			}
		}
	}
	if what != "rosters" {
		nodes := slices.Collect(maps.Values(m.cookies))
		for _, v := range m.open {
			if v.node != nil {
				nodes = append(nodes, v.node)
			}
		}
		for _, n := range nodes {
			n.stored, n.next = false, nil
			n.ended = n.created // else nothing says any more that a logout was there first
		}
	}
	if what != "records" {
		for _, g := range m.grips {
			g.gone = true
		}
	}
}

// restart makes a process anew: its requests end without an answer.
func (m *machine) restart(t *rapid.T) {
	if !seldom(t) {
		return
	}
	p := rapid.IntRange(0, 1).Draw(t, "process")
	m.stores[p] = m.newStore(t, p)
	m.open = slices.DeleteFunc(m.open, func(v *visitor) bool { return v.process == p })
}

// keysSeen are the keys that a store wrote.
type keysSeen struct {
	mu   sync.Mutex // guards keys
	keys map[string]bool
}

func (k *keysSeen) add(key string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys[key] = true
}

func (k *keysSeen) all() map[string]bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.keys)
}

// spyClient knows what was created.
type spyClient struct {
	session.Client
	seen *keysSeen
}

func (s *spyClient) Add(ctx context.Context, item *memcached.Item) error {
	s.seen.add(item.Key)
	return s.Client.Add(ctx, item)
}
