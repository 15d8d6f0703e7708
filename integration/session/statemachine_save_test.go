package session_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/bmemcached/bmemcached-go/session"
	"github.com/gorilla/sessions"
	"pgregory.net/rapid"
)

// What the requests of the state machine do that changes their session for others.

func (m *machine) renew(t *rapid.T) { m.renewed(t, m.any(t)) }

func (m *machine) renewed(t *rapid.T, v *visitor) bool {
	err := m.stores[v.process].Renew(v.r, v.s)
	switch {
	case v.dead:
		if err == nil {
			t.Fatal("a session that has ended was renewed")
		}
		return false
	case v.node == nil, !v.node.created: // nothing is stored yet that could be renewed
		if err != nil {
			t.Fatalf("Renew of a session that is not stored: %v", err)
		}
		return true
	}
	if other := m.cookies[v.cookie]; other != nil && other != v.origin && other.stored { // ended along with it
		other.stored, other.ended = false, true
	}
	next := v.node.renewed(m.rules)
	if (next == nil) != errors.Is(err, session.ErrNotFound) || next != nil && err != nil {
		t.Fatalf("Renew: %v, and the model says it is possible: %t", err, next != nil)
	}
	if next == nil {
		v.dead = true
		return false
	}
	v.node, v.fresh, v.life, v.idle = next, true, next.lifetime, 0
	return true
}

// remember gives a session a lifetime of its own, at the next save.
func (m *machine) remember(t *rapid.T) {
	v := m.any(t)
	life := rapid.SampledFrom([]time.Duration{10 * time.Minute, 2 * time.Hour, 3 * 24 * time.Hour}).Draw(t, "life")
	if err := m.stores[v.process].Remember(v.r, v.s, life); (err != nil) != v.dead {
		t.Fatalf("Remember: %v, and the session is dead: %t", err, v.dead)
	}
	if !v.dead {
		v.remember = life
	}
}

func (m *machine) login(t *rapid.T) {
	v := m.any(t)
	user := rapid.SampledFrom([]string{"ada", "bob"}).Draw(t, "user")
	if !m.renewed(t, v) {
		return
	}
	if v.node == nil {
		v.node = newNode()
	}
	label := rapid.SampledFrom([]string{"", "phone", "laptop"}).Draw(t, "label")
	store := m.stores[v.process]
	if err := errors.Join(store.Label(v.r, v.s, label), store.Bind(v.r, v.s, user)); err != nil {
		t.Fatalf("Bind: %v", err)
	}
	handle := store.Handle(v.s)
	old := v.node.grip
	if v.bound != nil {
		old = v.bound
	}
	switch {
	case old != nil && old.handle == handle:
		if old.user != user || old.gone {
			t.Fatal("a handle that was revoked is there again")
		}
		v.bound = old
	case old != nil && old.user == user && !old.gone && m.inUse(old):
		t.Fatal("a session has got another handle")
	default:
		if old != nil && old == v.node.grip && old.user != user {
			old.gone = true
		}
		v.bound = &grip{user: user, handle: handle, created: v.node.made, loaded: time.Now(), idle: m.rules.timeout(&v.node.lifetime)}
		m.grips = append(m.grips, v.bound)
	}
	if label != "" {
		v.bound.label = label
	}
	v.bound.bound = time.Now()
	v.fresh = true
	m.saved(t, v)
}

// newNode is a session that a request makes.
func newNode() *node { return &node{values: map[any]any{}, lifetime: lifetime{made: time.Now()}} }

func (m *machine) save(t *rapid.T) { m.saved(t, m.any(t)) }

// saved saves, and sees to it that the model does the same.
func (m *machine) saved(t *rapid.T, v *visitor) {
	v.w = httptest.NewRecorder()
	err := v.s.Save(v.r, v.w)
	if g := v.grip(); g != nil {
		g.bound = time.Now()
	}
	nothing := v.change.empty() && !v.fresh && v.remember == 0 && !m.reissues(v)
	switch {
	case v.dead:
		if !errors.Is(err, session.ErrNotFound) {
			t.Fatalf("Save of a session that has ended: %v, want ErrNotFound", err)
		}
		return
	case nothing:
		if err != nil || len(v.w.Result().Cookies()) > 0 {
			t.Fatalf("Save without a change: %v, cookies %v", err, v.w.Result().Cookies())
		}
		return
	case v.node == nil:
		v.node = newNode()
	}
	n := v.node
	if m.ended(n, v) {
		if len(v.change.took) > 0 && errors.Is(err, session.ErrConflict) {
			v.change.took, v.seen, v.life = nil, nil, n.lifetime // messages are compared first; nothing is stored either way
			return
		}
		if !errors.Is(err, session.ErrNotFound) {
			t.Fatalf("Save of a session that was ended meanwhile: %v, want ErrNotFound", err)
		}
		v.dead = true
		return
	}
	if g := v.grip(); g != nil && g.gone && errors.Is(err, session.ErrNotFound) {
		v.dead = true // the roster is asked if the timeouts change
		return
	}
	if !n.apply(&v.change, v.seen) {
		if !errors.Is(err, session.ErrConflict) {
			t.Fatalf("Save after another request took the messages: %v, want ErrConflict", err)
		}
		v.change.took, v.seen, v.life = nil, nil, n.lifetime
		return
	}
	if err != nil {
		t.Fatalf("Save: %v", err)
	}
	m.delivered(t, v)
	if v.bound != nil {
		n.grip, v.bound = v.bound, nil
	}
	n.stored, n.created = true, true
	m.rules.save(&n.lifetime, v.remember)
	if n.grip != nil {
		n.grip.idle = max(n.grip.idle, m.rules.timeout(&n.lifetime))
	}
	v.fresh, v.remember, v.life = false, 0, n.lifetime
	v.change, v.seen = change{}, own(v.s)
	for _, c := range v.w.Result().Cookies() {
		if m.cookies[c.Value] != nil && m.cookies[c.Value] != n {
			t.Fatal("two sessions have one cookie")
		}
		if m.cookies[c.Value] == nil {
			m.known = append(m.known, c.Value)
		}
		m.cookies[c.Value], m.grip[c.Value], m.idle[c.Value] = n, n.grip, m.said(&n.lifetime)
		v.idle = m.idle[c.Value]
		m.cookieSet(t, v, c)
	}
}

// grip is that of the session as the request would save it.
func (v *visitor) grip() *grip {
	if v.bound != nil || v.node == nil {
		return v.bound
	}
	return v.node.grip
}

// said is what a cookie says of the session's idle timeout: nothing where it is the
// store's.
func (m *machine) said(l *lifetime) time.Duration {
	if idle := m.rules.timeout(l); l.age != 0 && idle == l.age {
		return idle
	}
	return 0
}

// reissues reports whether a save that changes nothing writes the session for its
// cookie, which is to be sent again. It is compared with what the request knows of
// the session, then with what there is.
func (m *machine) reissues(v *visitor) bool {
	needed := func(l *lifetime) bool { return m.rules.rolls(l) || v.idle != m.said(l) }
	return v.node != nil && needed(&v.life) && needed(&v.node.lifetime)
}

// ended reports whether a session cannot be saved any more.
func (m *machine) ended(n *node, v *visitor) bool {
	switch {
	case n.created:
		return !n.there(m.rules)
	case n.renewedAt.IsZero():
		return n.ended
	default:
		return n.ended || time.Since(n.renewedAt) > graceful || !time.Now().Before(m.rules.end(&n.lifetime))
	}
}

// own are the messages that a request sees in its session.
func own(s *sessions.Session) []any {
	list, _ := s.Values["_flash"].([]any)
	return slices.Clone(list)
}

// cookieSet hands the cookie to the browser at once: the response of another
// request may come later and take its place, as in a browser.
func (m *machine) cookieSet(t *rapid.T, v *visitor, c *http.Cookie) {
	n := v.node
	until := time.Time{}
	if c.MaxAge > 0 {
		until = time.Now().Add(time.Duration(c.MaxAge) * time.Second)
	}
	if until.IsZero() != n.cookieEnd.IsZero() || until.Sub(n.cookieEnd).Abs() > m.slack {
		t.Fatalf("the browser keeps the cookie until %v, want %v", until, n.cookieEnd)
	}
	m.browsers[v.browser] = cookie{c.Value, until}
}

func (m *machine) delivered(t *rapid.T, v *visitor) {
	for _, message := range v.change.took {
		if m.got[message] && !v.node.forked {
			t.Fatalf("the message %v was delivered twice", message)
		}
		m.got[message] = true
	}
}

func (m *machine) logout(t *rapid.T) {
	v := m.any(t)
	v.s.Options.MaxAge = -1
	if err := v.s.Save(v.r, httptest.NewRecorder()); err != nil {
		t.Fatalf("logout: %v", err)
	}
	m.open = slices.DeleteFunc(m.open, func(other *visitor) bool { return other == v })
	m.cookies[v.cookie].end()
	v.node.end()
	if v.node != nil && v.node.from != nil && len(v.node.from.next) > 0 {
		v.node.from.end()
	}
	if v.node != nil && v.node.grip != nil {
		v.node.grip.gone = true
	}
	if g := m.grip[v.cookie]; g != nil {
		g.gone = true
	}
	m.browsers[v.browser] = cookie{}
}
