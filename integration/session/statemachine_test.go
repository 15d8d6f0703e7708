package session_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
	"github.com/gorilla/sessions"
	"pgregory.net/rapid"
)

// Random requests of several browsers to two processes, against a model: what
// ended stays ended, nothing acknowledged is lost, a message is delivered once,
// nobody sees another's session, no cookie works that should not.
//
//	go test ./session -run StateMachine -rapid.checks=1000 -rapid.steps=100
//
// is 100,000 steps. Rapid prints how to repeat a failure, and shrinks it.
func TestStateMachine_InProcess(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	runMachine(t, func() session.Client {
		client, err := memcached.New([]string{server.Addr()}, &memcached.Options{DialContext: server.DialContext})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		return client
	})
}

func TestStateMachine_OnMemcached(t *testing.T) {
	servers := start(t, 2)
	runMachine(t, func() session.Client { return connect(t, servers...) })
}

func runMachine(t *testing.T, open func() session.Client) {
	clients := []session.Client{open(), open()}
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		m := newMachine(t, clients, fmt.Sprintf("run%d:", runs))
		t.Repeat(map[string]func(*rapid.T){
			"":            m.look,
			"request":     m.request,
			"requests":    m.requests,
			"set":         m.set,
			"add flash":   m.addFlash,
			"take flash":  m.takeFlashes,
			"renew":       m.renew,
			"save again":  m.save,
			"login":       m.login,
			"logout":      m.logout,
			"save":        m.save,
			"respond":     m.respond,
			"revoke":      m.revoke,
			"revoke all":  m.revokeAll,
			"list":        m.list,
			"evict":       m.evict,
			"new process": m.restart,
		})
		m.lookAtAll(t)
	})
}

type machine struct {
	clients  []session.Client
	keys     *keysSeen
	prefix   string
	stores   []*session.Store
	browsers []string // their cookies
	open     []*visitor
	cookies  map[string]*node // every one that was ever set
	known    []string         // the same, in order
	grips    []*grip
	count    int // makes values unlike each other
	got      map[any]bool
}

// visitor is a request that is being served.
type visitor struct {
	browser, process int
	cookie           string // that it came with
	r                *http.Request
	w                *httptest.ResponseRecorder
	s                *sessions.Session
	node             *node // nil: a new session
	origin           *node // that it was loaded with, nil: none
	change           change
	seen             []any // messages, as it last saw them
	fresh            bool  // renewed, or bound, since it was saved
	bound            *grip // that Bind gave it, not saved yet
	dead             bool  // an error said so: nothing is saved any more
}

func newMachine(t *rapid.T, clients []session.Client, prefix string) *machine {
	m := &machine{
		clients: clients, prefix: prefix, keys: &keysSeen{keys: map[string]bool{}},
		browsers: make([]string, 2), cookies: map[string]*node{}, got: map[any]bool{},
	}
	for i := range clients {
		m.stores = append(m.stores, m.newStore(t, i))
	}
	return m
}

func (m *machine) newStore(t *rapid.T, process int) *session.Store {
	store, err := session.New(&spyClient{m.clients[process], m.keys}, &session.Options{Prefix: m.prefix}, authKey)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// visit loads the session of a cookie in a process.
func (m *machine) visit(t *rapid.T, process int, cookie string) *visitor {
	v := &visitor{process: process, cookie: cookie, r: httptest.NewRequest(http.MethodGet, "/", nil), w: httptest.NewRecorder()}
	if cookie != "" {
		v.r.AddCookie(&http.Cookie{Name: "session", Value: cookie})
	}
	var err error
	if v.s, err = m.stores[process].Get(v.r, "session"); err != nil {
		t.Fatalf("Get: %v", err)
	}
	n := m.cookies[cookie]
	if n.alive() == v.s.IsNew {
		t.Fatalf("the session is new: %t, and the model says alive: %t (%+v)", v.s.IsNew, n.alive(), n)
	}
	if n.alive() {
		if !reflect.DeepEqual(v.s.Values, n.values) {
			t.Fatalf("the session holds %v, the model %v", v.s.Values, n.values)
		}
		v.node, v.origin, v.seen = n, n, slices.Clone(n.flashes())
	} else if len(v.s.Values) > 0 {
		t.Fatalf("a new session holds %v", v.s.Values)
	}
	return v
}

// look loads the session of any cookie there ever was.
func (m *machine) look(t *rapid.T) {
	if len(m.known) > 0 {
		m.visit(t, rapid.IntRange(0, 1).Draw(t, "looking process"), rapid.SampledFrom(m.known).Draw(t, "looked at"))
	}
}

func (m *machine) lookAtAll(t *rapid.T) {
	for _, cookie := range m.known {
		m.visit(t, 0, cookie)
	}
}

func (m *machine) request(t *rapid.T) {
	if len(m.open) >= 4 {
		m.respond(t)
	}
	b := rapid.IntRange(0, len(m.browsers)-1).Draw(t, "browser")
	v := m.visit(t, rapid.IntRange(0, 1).Draw(t, "process"), m.browsers[b])
	v.browser = b
	m.open = append(m.open, v)
}

// requests begins two requests of one browser.
func (m *machine) requests(t *rapid.T) {
	for len(m.open) >= 3 {
		m.respond(t)
	}
	b := rapid.IntRange(0, len(m.browsers)-1).Draw(t, "browser")
	for p := range 2 {
		v := m.visit(t, p, m.browsers[b])
		v.browser = b
		m.open = append(m.open, v)
	}
}

// seldom leaves most sessions alive for a while.
func seldom(t *rapid.T) bool { return rapid.IntRange(0, 5).Draw(t, "seldom") == 0 }

// any returns one of the requests that are being served.
func (m *machine) any(t *rapid.T) *visitor {
	if len(m.open) == 0 {
		m.request(t)
	}
	return m.open[rapid.IntRange(0, len(m.open)-1).Draw(t, "request")]
}

func (m *machine) set(t *rapid.T) {
	v := m.any(t)
	m.count++
	key := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "key")
	v.s.Values[key] = m.count
	if v.change.set == nil {
		v.change.set = map[any]any{}
	}
	v.change.set[key] = m.count
}

func (m *machine) addFlash(t *rapid.T) {
	v := m.any(t)
	m.count++
	v.s.AddFlash(m.count)
	v.change.added = append(v.change.added, m.count)
}

// takeFlashes takes the messages that the request has not added itself.
func (m *machine) takeFlashes(t *rapid.T) {
	v := m.any(t)
	if len(v.change.added) > 0 || len(v.change.took) > 0 {
		return // it has its own
	}
	v.change.took = v.s.Flashes()
	if !slices.Equal(v.change.took, v.seen) {
		t.Fatalf("the request got the messages %v, want %v", v.change.took, v.seen)
	}
}

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
	next := v.node.renewed()
	if (next == nil) != errors.Is(err, session.ErrNotFound) || next != nil && err != nil {
		t.Fatalf("Renew: %v, and the model says it is possible: %t", err, next != nil)
	}
	if next == nil {
		v.dead = true
		return false
	}
	v.node, v.fresh = next, true
	return true
}

func (m *machine) login(t *rapid.T) {
	v := m.any(t)
	user := rapid.SampledFrom([]string{"ada", "bob"}).Draw(t, "user")
	if !m.renewed(t, v) {
		return
	}
	if v.node == nil {
		v.node = &node{values: map[any]any{}}
	}
	if err := errors.Join(m.stores[v.process].Label(v.r, v.s, "label"), m.stores[v.process].Bind(v.r, v.s, user)); err != nil {
		t.Fatalf("Bind: %v", err)
	}
	handle := m.stores[v.process].Handle(v.s)
	old := v.node.grip
	if v.bound != nil {
		old = v.bound
	}
	if old == nil || old.user != user || old.gone {
		if old != nil && old == v.node.grip && old.user != user {
			old.gone = true
		}
		if old != nil && old.handle == handle {
			t.Fatal("a handle that was revoked is there again")
		}
		v.bound = &grip{user: user, handle: handle}
		m.grips = append(m.grips, v.bound)
	} else {
		v.bound = old
	}
	v.fresh = true
	m.saved(t, v)
}

func (m *machine) save(t *rapid.T) { m.saved(t, m.any(t)) }

// saved saves, and sees to it that the model does the same.
func (m *machine) saved(t *rapid.T, v *visitor) {
	v.w = httptest.NewRecorder()
	err := v.s.Save(v.r, v.w)
	nothing := v.change.empty() && !v.fresh
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
		v.node = &node{values: map[any]any{}}
	}
	n := v.node
	create := !n.created
	if n.ended || !create && !n.stored {
		if len(v.change.took) > 0 && errors.Is(err, session.ErrConflict) {
			v.change.took, v.seen = nil, nil // messages are compared first; nothing is stored either way
			return
		}
		if !errors.Is(err, session.ErrNotFound) {
			t.Fatalf("Save of a session that was ended meanwhile: %v, want ErrNotFound", err)
		}
		v.dead = true
		return
	}
	if !n.apply(&v.change, v.seen) {
		if !errors.Is(err, session.ErrConflict) {
			t.Fatalf("Save after another request took the messages: %v, want ErrConflict", err)
		}
		v.change.took, v.seen = nil, nil
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
	v.fresh = false
	v.change, v.seen = change{}, own(v.s)
	for _, c := range v.w.Result().Cookies() {
		if m.cookies[c.Value] != nil && m.cookies[c.Value] != n {
			t.Fatal("two sessions have one cookie")
		}
		if m.cookies[c.Value] == nil {
			m.known = append(m.known, c.Value)
		}
		m.cookies[c.Value] = n
		v.cookieSet(m, c.Value)
	}
}

// own are the messages that a request sees in its session.
func own(s *sessions.Session) []any {
	list, _ := s.Values["_flash"].([]any)
	return slices.Clone(list)
}

// cookieSet hands the cookie to the browser at once: the response of another
// request may come later and take its place, as in a browser.
func (v *visitor) cookieSet(m *machine, value string) { m.browsers[v.browser] = value }

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
	m.browsers[v.browser] = ""
}

func (m *machine) respond(t *rapid.T) {
	if len(m.open) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.open)-1).Draw(t, "done")
	m.open = slices.Delete(m.open, i, i+1)
}
