package session_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

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
	if err := m.stores[0].RevokeAll(m.ctx, user); err != nil {
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
	err := m.stores[1].Revoke(m.ctx, g.user, g.handle)
	if err != nil && (m.inUse(g) || !errors.Is(err, session.ErrNotFound)) {
		t.Fatalf("Revoke: %v, and the model says it is gone: %t", err, g.gone)
	}
	g.gone = true
}

// revokeOthers ends all sessions of a user but one.
func (m *machine) revokeOthers(t *rapid.T) {
	if !seldom(t) {
		return
	}
	if len(m.grips) == 0 {
		return
	}
	g := rapid.SampledFrom(m.grips).Draw(t, "handle")
	err := m.stores[0].RevokeOthers(m.ctx, g.user, g.handle)
	switch {
	case errors.Is(err, session.ErrNotFound) && !m.inUse(g):
		return // none was ended, which the next looks find out
	case err != nil || g.gone:
		t.Fatalf("RevokeOthers: %v, and the model says it is gone: %t", err, g.gone)
	}
	for _, other := range m.grips {
		other.gone = other.gone || other.user == g.user && other != g
	}
}

// inUse reports whether a session of the handle is alive.
func (m *machine) inUse(g *grip) bool {
	for _, n := range m.cookies {
		if n.alive(m.rules) && n.grip == g {
			return true
		}
	}
	return false
}

// list compares the sessions of a user: those that are alive are there, with what
// is known of them, and none that is gone.
func (m *machine) list(t *rapid.T) {
	for _, user := range []string{"ada", "bob"} {
		infos, err := m.stores[0].List(m.ctx, user)
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		listed := map[string]session.Info{}
		for _, info := range infos {
			listed[info.Handle] = info
		}
		for _, g := range m.grips {
			info, found := listed[g.handle]
			switch {
			case g.user != user && found:
				t.Fatalf("a session of %s is listed as one of %s", g.user, user)
			case g.user != user:
			case found && g.gone:
				t.Fatal("a session that was revoked is listed")
			case found && time.Since(g.loaded) > g.idle+6*time.Minute && time.Since(g.bound) > g.idle+6*time.Minute:
				t.Fatalf("a session that was used %v ago is listed, and its idle timeout is %v", time.Since(g.loaded), g.idle)
			case !found && m.inUse(g):
				t.Fatal("a session that is alive is not listed")
			case found:
				m.compare(t, g, info)
			}
		}
	}
}

// compare compares what List says of a session.
func (m *machine) compare(t *rapid.T, g *grip, info session.Info) {
	if info.Label != g.label {
		t.Fatalf("the label is %q, want %q", info.Label, g.label)
	}
	if info.Created.Sub(g.created).Abs() > m.slack {
		t.Fatalf("the session was made at %v, want %v", info.Created, g.created)
	}
	if m.inUse(g) && g.loaded.Sub(info.LastUsed) > 5*time.Minute+time.Second || info.LastUsed.After(time.Now()) {
		t.Fatalf("the session was used at %v, and List says %v", g.loaded, info.LastUsed)
	}
}

// evict makes memcached forget records, rosters, what renewals leave or all, as
// eviction, expiry and a restart do.
func (m *machine) evict(t *rapid.T) {
	if !seldom(t) {
		return
	}
	what := rapid.SampledFrom([]string{"records", "rosters", "forwards", "all"}).Draw(t, "what")
	for key := range m.keys.all() {
		if what == "all" || what == m.kind(t, key) || what == "records" && m.kind(t, key) == "forwards" {
			if err := m.clients[0].Delete(m.ctx, key); err != nil && !errors.Is(err, memcached.ErrCacheMiss) {
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
			n.next = nil
			if !n.created {
				n.ended = false // nothing says any more that a logout was there first
			} else if what != "forwards" {
				n.stored, n.ended = false, true
			}
		}
	}
	if what == "rosters" || what == "all" {
		for _, g := range m.grips {
			g.gone = true
		}
	}
}

// kind tells what memcached holds under a key.
func (m *machine) kind(t *rapid.T, key string) string {
	if strings.Contains(key, "user:") {
		return "rosters"
	}
	item, err := m.clients[0].Get(m.ctx, key)
	switch {
	case errors.Is(err, memcached.ErrCacheMiss):
		return "nothing"
	case err != nil:
		t.Fatal(err)
		return ""
	case item.Value[0] == 0xf1: // session/seal.go
		return "forwards"
	default:
		return "records"
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
