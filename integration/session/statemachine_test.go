package session_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gorilla/sessions"
	"pgregory.net/rapid"
)

// Random requests of several browsers to two processes, against a model: what
// ended stays ended, nothing acknowledged is lost, a message is delivered once,
// nobody sees another's session, no cookie works that should not, and each session
// ends when its timeouts say so. Time passes in it, hours in no time.
//
//	make sessions STEPS=100000
//
// Rapid prints how to repeat a failure, and shrinks it.
func TestStateMachine_InProcess(t *testing.T) {
	rapid.Check(t, func(check *rapid.T) {
		inBubble(t, func(t *testing.T) {
			server := memcachedtest.Start(t, nil)
			var clients []session.Client
			for range 2 {
				client, err := memcached.New([]string{server.Addr()}, &memcached.Options{DialContext: server.DialContext})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = client.Close() })
				clients = append(clients, client)
			}
			m := newMachine(check, clients, "")
			actions := m.actions()
			actions["time passes"] = m.timePasses
			check.Repeat(actions)
			m.lookAtAll(check)
		})
	})
	dropPools()
}

func TestStateMachine_OnMemcached(t *testing.T) {
	servers := start(t, 2)
	clients := []session.Client{connect(t, servers...), connect(t, servers...)}
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		m := newMachine(t, clients, fmt.Sprintf("run%d:", runs))
		m.slack = time.Minute // this machine may be busy
		t.Repeat(m.actions())
		m.lookAtAll(t)
	})
}

func (m *machine) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"":              m.look,
		"request":       m.request,
		"requests":      m.requests,
		"set":           m.set,
		"add flash":     m.addFlash,
		"take flash":    m.takeFlashes,
		"renew":         m.renew,
		"remember":      m.remember,
		"save again":    m.save,
		"login":         m.login,
		"logout":        m.logout,
		"save":          m.save,
		"respond":       m.respond,
		"revoke":        m.revoke,
		"revoke others": m.revokeOthers,
		"revoke all":    m.revokeAll,
		"list":          m.list,
		"evict":         m.evict,
		"new process":   m.restart,
	}
}

type machine struct {
	ctx      context.Context
	rules    *rules
	slack    time.Duration // by which times of the store and of the model differ
	clients  []session.Client
	keys     *keysSeen
	prefix   string
	stores   []*session.Store
	browsers []cookie // theirs
	open     []*visitor
	cookies  map[string]*node         // every one that was ever set
	idle     map[string]time.Duration // what each says of the idle timeout
	grip     map[string]*grip         // by which a logout finds the session of each in its user's roster
	known    []string                 // the same, in order
	grips    []*grip
	count    int // makes values unlike each other
	sleeps   int
	got      map[any]bool
}

// cookie is what a browser keeps.
type cookie struct {
	value string
	until time.Time // zero: until the browser closes
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
	seen             []any         // messages, as it last saw them
	life             lifetime      // of the session, as it last saw it
	idle             time.Duration // of the session, as the cookie says it
	remember         time.Duration // that it asked for and has not saved
	fresh            bool          // renewed, or bound, since it was saved
	bound            *grip         // that Bind gave it, not saved yet
	dead             bool          // an error said so: nothing is saved any more
}

func newMachine(t *rapid.T, clients []session.Client, prefix string) *machine {
	m := &machine{
		slack: time.Second,
		ctx:   context.Background(), rules: rulesOf(t), clients: clients, prefix: prefix, keys: &keysSeen{keys: map[string]bool{}},
		browsers: make([]cookie, 2), cookies: map[string]*node{}, idle: map[string]time.Duration{}, got: map[any]bool{}, grip: map[string]*grip{},
	}
	for i := range clients {
		m.stores = append(m.stores, m.newStore(t, i))
	}
	return m
}

func (m *machine) newStore(t *rapid.T, process int) *session.Store {
	opts := &session.Options{Prefix: m.prefix, IdleTimeout: m.rules.idle, AbsoluteTimeout: m.rules.absolute}
	store, err := session.New(&spyClient{m.clients[process], m.keys}, opts, authKey)
	if err != nil {
		t.Fatal(err)
	}
	if m.rules.maxAge > 0 {
		store.Options(ginsessions.Options{Path: "/", MaxAge: int(m.rules.maxAge / time.Second)})
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
	alive := n.alive(m.rules)
	if alive == v.s.IsNew {
		t.Fatalf("the session is new: %t, and the model says alive: %t (%+v)", v.s.IsNew, alive, n)
	}
	if alive {
		n.used = time.Now()
		if n.grip != nil {
			n.grip.loaded = n.used
		}
		if !reflect.DeepEqual(v.s.Values, n.values) {
			t.Fatalf("the session holds %v, the model %v", v.s.Values, n.values)
		}
		v.node, v.origin, v.seen, v.life, v.idle = n, n, slices.Clone(n.flashes()), n.lifetime, m.idle[cookie]
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
	v := m.visit(t, rapid.IntRange(0, 1).Draw(t, "process"), m.sends(b))
	v.browser = b
	m.open = append(m.open, v)
}

// sends returns the cookie that a browser sends: it drops those whose time is over.
func (m *machine) sends(browser int) string {
	c := m.browsers[browser]
	if !c.until.IsZero() && !time.Now().Before(c.until) {
		return ""
	}
	return c.value
}

// requests begins two requests of one browser.
func (m *machine) requests(t *rapid.T) {
	for len(m.open) >= 3 {
		m.respond(t)
	}
	b := rapid.IntRange(0, len(m.browsers)-1).Draw(t, "browser")
	for p := range 2 {
		v := m.visit(t, p, m.sends(b))
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

func (m *machine) respond(t *rapid.T) {
	if len(m.open) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.open)-1).Draw(t, "done")
	m.open = slices.Delete(m.open, i, i+1)
}
