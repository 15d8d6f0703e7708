package session

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// Clocks are set, and those of two servers differ: a session that seems to have
// been made in the future is good, one that seems too old is not, and neither
// outlives its server's time to live.
func TestClock_Jumps(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	client, err := memcached.New([]string{server.Addr()}, &memcached.Options{DialContext: server.DialContext})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	s, err := New(client, nil, testKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		created, cookieEnd time.Duration // from now
		alive              bool
	}{
		"set back by a minute":    {created: time.Minute, alive: true},
		"set back by a year":      {created: 365 * 24 * time.Hour, alive: true},
		"set forward by an hour":  {created: -time.Hour, alive: true},
		"set forward by 12 hours": {created: -12 * time.Hour},
		"set forward by a year":   {created: -365 * 24 * time.Hour},
		"beyond the cookie's end": {created: -time.Hour, cookieEnd: -time.Minute},
		"before the cookie's end": {created: time.Hour, cookieEnd: 2 * time.Hour, alive: true},
	} {
		i, stored := newID(), record{created: now().Add(c.created), values: values{"\x03k": "\x03v"}}
		if c.cookieEnd != 0 {
			stored.cookieEnd = now().Add(c.cookieEnd)
		}
		sealed := s.of(i).sealer(s.pairs, 0).seal(stored.encode())
		server.SetItem(&memcached.Item{Key: s.of(i).location, Value: sealed, TTL: time.Minute})
		visit := func() (alive bool) {
			r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
			r.AddCookie(&http.Cookie{Name: "session", Value: s.pairs[0].encodeCookie("session", token{id: i})})
			session, err := s.Get(r, "session")
			if err != nil {
				t.Errorf("%s: Get: %v", name, err)
			}
			alive = session.Values["k"] == "v"
			session.Values["l"] = "w"
			if err := session.Save(r, w); err != nil {
				t.Errorf("%s: Save: %v", name, err)
			}
			return alive
		}
		if got := visit(); got != c.alive {
			t.Errorf("%s: the session is alive: %t, want %t", name, got, c.alive)
		}
		if item, there := server.Item(s.of(i).location); there != c.alive || there && (item.TTL <= 0 || item.TTL > defaultIdle) {
			t.Errorf("%s: the server keeps it: %t, for %v", name, there, item.TTL)
		}
		server.Advance(defaultIdle + time.Second)
		if visit() {
			t.Errorf("%s: the session is alive after the idle timeout", name)
		}
	}
}
