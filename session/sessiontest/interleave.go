package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/session"
	"github.com/gorilla/sessions"
)

// interleavings runs a few requests of one browser at a time and lets them take
// turns at memcached in a random order, operation by operation. Whatever the
// order, what ended stays ended and what was stored is there.
//
// SESSIONTEST_SEED repeats the rounds of a failure.
func interleavings(t *testing.T, client session.Client) {
	const rounds = 1500
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("SESSIONTEST_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	for round := range rounds {
		g := &game{
			t:      t,
			plain:  newStore(t, client, nil),
			store:  newStore(t, turns{client}, nil),
			random: rand.New(rand.NewPCG(seed, uint64(round))),
			ready:  make(chan *player),
		}
		g.bound = g.random.IntN(2) == 0
		g.run()
		if t.Failed() {
			t.Fatalf("round %d with SESSIONTEST_SEED=%d: %s", round, seed, g)
		}
	}
}

// game is one round.
type game struct {
	t       *testing.T
	plain   *session.Store // without turns
	store   *session.Store
	bound   bool   // to a user
	handle  string // of the session, if it is bound
	random  *rand.Rand
	ready   chan *player // players who wait for their turn, or are done
	start   jar          // the cookie that all players begin with
	players []*player
}

// player is one request.
type player struct {
	what   string // "read", "set", "logout", "renew", "login", "revoke" or "revoke one"
	n      int    // the value that it sets has this key
	loaded bool   // it found the session
	err    error  // of what it did
	cookie jar    // that the browser has after it
	turn   chan struct{}
	done   bool
}

func (g *game) String() string {
	text := ""
	for _, p := range g.players {
		text += fmt.Sprintf("[%s %d: loaded %t, %v] ", p.what, p.n, p.loaded, p.err)
	}
	return text
}

func (g *game) run() {
	g.begin()
	kinds := []string{"read", "set", "set", "logout", "renew", "renew", "login", "revoke", "revoke one"}
	if !g.bound {
		kinds = kinds[:len(kinds)-2]
	}
	for n := range 2 + g.random.IntN(4) {
		p := &player{what: kinds[g.random.IntN(len(kinds))], n: n, turn: make(chan struct{})}
		g.players = append(g.players, p)
		go func() {
			p.play(g)
			p.done = true
			g.ready <- p
		}()
	}
	g.schedule()
	g.judge()
}

// begin makes the session that all players begin with.
func (g *game) begin() {
	g.start = jar("").visit(g.t.Context(), g.plain, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		s.Values["start"] = true
		var err error
		if g.bound {
			err = g.plain.Bind(r, s, user)
			g.handle = g.plain.Handle(s)
		}
		if err = errors.Join(err, s.Save(r, w)); err != nil {
			g.t.Fatalf("making a session: %v", err)
		}
	})
}

const user = "ada"

// schedule lets one player at a time do one operation.
func (g *game) schedule() {
	var waiting []*player
	for busy := len(g.players); busy > 0; {
		p := <-g.ready
		busy--
		if !p.done {
			waiting = append(waiting, p)
		}
		if busy == 0 && len(waiting) > 0 {
			i := g.random.IntN(len(waiting))
			next := waiting[i]
			waiting = append(waiting[:i], waiting[i+1:]...)
			busy = 1
			next.turn <- struct{}{}
		}
	}
}

type playerKey struct{}

// play does what the request is for.
func (p *player) play(g *game) {
	ctx := context.WithValue(g.t.Context(), playerKey{}, &seat{p, g})
	p.cookie = g.start
	switch p.what {
	case "revoke":
		p.err = g.store.RevokeAll(ctx, user)
		return
	case "revoke one":
		p.err = g.store.Revoke(ctx, user, g.handle)
		return
	}
	p.cookie = g.start.visit(ctx, g.store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, err error) {
		if p.err = err; err != nil {
			return
		}
		p.loaded = !s.IsNew
		if p.loaded || p.what == "logout" {
			p.err = p.act(g, w, r, s)
		}
	})
}

func (p *player) act(g *game, w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
	switch p.what {
	case "set":
		s.Values[p.n] = true
	case "logout":
		s.Options.MaxAge = -1
	case "renew":
		if err := g.store.Renew(r, s); err != nil {
			return err
		}
	case "login":
		s.Values[p.n] = true
		if err := g.store.Renew(r, s); err != nil {
			return err
		}
		if err := s.Save(r, w); err != nil {
			return err
		}
		s.Values["again"] = p.n
	}
	return s.Save(r, w)
}

// judge checks what is there in the end.
func (g *game) judge() {
	is := func(what string) func(*player) bool {
		return func(p *player) bool { return p.what == what && p.err == nil }
	}
	for _, p := range g.players {
		if p.err != nil && !errors.Is(p.err, session.ErrNotFound) {
			g.t.Errorf("%s %d: %v, want nothing but ErrNotFound", p.what, p.n, p.err)
		}
	}
	switch {
	case slices.ContainsFunc(g.players, is("revoke")):
		g.judgeEnded("RevokeAll")
	case slices.ContainsFunc(g.players, is("revoke one")):
		g.judgeEnded("Revoke")
	case slices.ContainsFunc(g.players, is("logout")):
		g.judgeEnded("a logout")
	default:
		g.judgeRenewals()
	}
}

// judgeRenewals checks that each renewal has a session of its own, and that of
// a user's session there is one.
func (g *game) judgeRenewals() {
	var renewed []jar
	for _, p := range g.players {
		if p.err != nil && p.cookie != g.start {
			g.t.Errorf("%s %d failed and changed the cookie", p.what, p.n)
		}
		if (p.what == "renew" || p.what == "login") && p.loaded && p.err == nil {
			if p.cookie == g.start || slices.Contains(renewed, p.cookie) {
				g.t.Errorf("%s %d succeeded and has no session of its own", p.what, p.n)
			}
			renewed = append(renewed, p.cookie)
		}
	}
	if len(renewed) == 0 {
		g.judgeValues(g.start.values(g.t, g.plain), false)
		return
	}
	if len(g.start.values(g.t, g.plain)) != 0 {
		g.t.Error("the session is alive after it was renewed")
	}
	if g.bound && len(renewed) > 1 {
		g.t.Errorf("%d renewals of one user's session succeeded, want 1 at most", len(renewed))
	}
	for _, cookie := range renewed {
		g.judgeValues(cookie.values(g.t, g.plain), true)
	}
}

// judgeEnded checks that nothing survived.
func (g *game) judgeEnded(by string) {
	for _, p := range append([]*player{{what: "start", cookie: g.start}}, g.players...) {
		if len(p.cookie.values(g.t, g.plain)) != 0 {
			g.t.Errorf("the session of %s %d is alive after %s", p.what, p.n, by)
		}
	}
}

// judgeValues checks that what was stored is there.
func (g *game) judgeValues(alive map[any]any, ended bool) {
	if alive["start"] != true {
		g.t.Error("the first value is gone")
	}
	for _, p := range g.players {
		if p.what == "set" && p.loaded && (alive[p.n] == true) != (p.err == nil) {
			g.t.Errorf("set %d: error %v, and its value is there: %t", p.n, p.err, alive[p.n] == true)
		}
		if p.what == "set" && p.err != nil && !ended {
			g.t.Errorf("set %d: %v, and nothing ended the session", p.n, p.err)
		}
	}
}

// turns makes operations wait for their turn.
type turns struct{ session.Client }

type seat struct {
	player *player
	game   *game
}

func wait(ctx context.Context) {
	if s, ok := ctx.Value(playerKey{}).(*seat); ok {
		s.game.ready <- s.player
		<-s.player.turn
	}
}

// Get lets rosters pass: they are read along with the session, at the same time.
func (c turns) Get(ctx context.Context, key string) (*memcached.Item, error) {
	if !strings.Contains(key, "user:") {
		wait(ctx)
	}
	return c.Client.Get(ctx, key)
}

func (c turns) GetAndTouch(ctx context.Context, key string, ttl time.Duration) (*memcached.Item, error) {
	wait(ctx)
	return c.Client.GetAndTouch(ctx, key, ttl)
}

func (c turns) Add(ctx context.Context, item *memcached.Item) error {
	wait(ctx)
	return c.Client.Add(ctx, item)
}

func (c turns) CompareAndSwap(ctx context.Context, item *memcached.Item) error {
	wait(ctx)
	return c.Client.CompareAndSwap(ctx, item)
}

func (c turns) Delete(ctx context.Context, key string) error {
	wait(ctx)
	return c.Client.Delete(ctx, key)
}

func (c turns) CompareAndDelete(ctx context.Context, key string, cas uint64) error {
	wait(ctx)
	return c.Client.CompareAndDelete(ctx, key, cas)
}
