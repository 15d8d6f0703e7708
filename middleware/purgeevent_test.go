package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// purges are all of them, and what they are to tell when there is /blog/a.
func purges(c *middleware.Cache, page, below *http.Request) map[string]struct {
	purge func(context.Context) error
	want  middleware.Event
} {
	type purge = struct {
		purge func(context.Context) error
		want  middleware.Event
	}
	const hard, soft = middleware.EventPurged, middleware.EventSoftPurged
	return map[string]purge{
		"Purge": {func(ctx context.Context) error { return c.Purge(ctx, page) }, middleware.Event{Kind: hard, Scope: middleware.ScopePage}},
		"PurgeTags": {
			func(ctx context.Context) error { return c.PurgeTags(ctx, "secret", "other") },
			middleware.Event{Kind: hard, Scope: middleware.ScopeTags, Count: 2},
		},
		"PurgePath": {func(ctx context.Context) error { return c.PurgePath(ctx, below) }, middleware.Event{Kind: hard, Scope: middleware.ScopePath}},
		"PurgeAll":  {c.PurgeAll, middleware.Event{Kind: hard, Scope: middleware.ScopeAll}},
		"SoftPurge": {func(ctx context.Context) error { return c.SoftPurge(ctx, page) }, middleware.Event{Kind: soft, Scope: middleware.ScopePage, Count: 1}},
		"SoftPurgeTags": {
			func(ctx context.Context) error { return c.SoftPurgeTags(ctx, "secret") },
			middleware.Event{Kind: soft, Scope: middleware.ScopeTags, Count: 1},
		},
		"SoftPurgePath": {func(ctx context.Context) error { return c.SoftPurgePath(ctx, below) }, middleware.Event{Kind: soft, Scope: middleware.ScopePath}},
		"SoftPurgeAll":  {c.SoftPurgeAll, middleware.Event{Kind: soft, Scope: middleware.ScopeAll}},
	}
}

// TestOnEvent_TellsOfPurges, once of each, whether memcached could be told or not, and
// names neither the page nor its tags.
func TestOnEvent_TellsOfPurges(t *testing.T) {
	for name := range purges(nil, nil, nil) {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				s := newSite(t, &middleware.Options{TTL: time.Minute, PathTags: true}, text("x", "Cache-Tag: secret"))
				s.get("/secret/a")
				s.events.take()
				purge := purges(s.cache, s.request(t.Context(), http.MethodGet, "/secret/a"), s.request(t.Context(), http.MethodGet, "/secret/"))[name]
				s.memory.Intercept(func(memcachedtest.Request) memcachedtest.Action { return memcachedtest.Action{Delay: time.Millisecond} })
				if err := purge.purge(t.Context()); err != nil {
					t.Fatal(err)
				}
				check(t, s.events.take(), purge.want, nil)
				s.memory.Stop()
				err := purge.purge(t.Context())
				if err == nil {
					t.Fatal("a purge without a server gives no error")
				}
				if purge.want.Scope == middleware.ScopePage {
					purge.want.Count = 0
				}
				check(t, s.events.take(), purge.want, err)
			})
		})
	}
}

// check compares the events of a purge with the one that is wanted.
func check(t *testing.T, events []middleware.Event, want middleware.Event, err error) {
	t.Helper()
	if len(events) != 1 {
		t.Fatalf("%d events, want one: %+v", len(events), events)
	}
	got := events[0]
	if (got.Key != "") != (got.Scope == middleware.ScopePage) {
		t.Errorf("the key is %q, of a purge of %s", got.Key, got.Scope)
	}
	if err == nil && got.Duration < time.Millisecond {
		t.Errorf("it took %v, want what memcached took", got.Duration)
	}
	if !errors.Is(got.Err, err) || (err != nil) != errors.Is(got.Err, memcached.ErrUnavailable) {
		t.Errorf("the error is %v, want the one that was returned: %v", got.Err, err)
	}
	if printed := fmt.Sprint(got); strings.Contains(printed, "secret") {
		t.Errorf("the event names what was purged: %s", printed)
	}
	got.Key, got.Duration, got.Err = "", 0, nil
	if got != want {
		t.Errorf("event %+v, want %+v", got, want)
	}
}

// TestOnEvent_TellsNothingOfPurgesThatWereRefused: they have changed nothing, and whoever
// made the mistake has the error.
func TestOnEvent_TellsNothingOfPurgesThatWereRefused(t *testing.T) {
	s := newSite(t, &middleware.Options{Key: func(*http.Request) (string, bool) { return "", false }}, text("x"))
	request := s.request(t.Context(), http.MethodGet, "/secret/")
	for name, refused := range map[string]error{
		"all without PathTags":    s.cache.PurgeAll(t.Context()),
		"path without PathTags":   s.cache.SoftPurgePath(t.Context(), request),
		"a tag that is two":       s.cache.PurgeTags(t.Context(), "a, b"),
		"a page without a host":   s.cache.Purge(t.Context(), &http.Request{URL: request.URL}),
		"softly, without a host":  s.cache.SoftPurge(t.Context(), &http.Request{URL: request.URL}),
		"a page that Key refuses": s.cache.Purge(t.Context(), request),
		"no tags":                 s.cache.PurgeTags(t.Context()),
	} {
		t.Log(name, refused)
	}
	if events := s.events.take(); len(events) > 0 {
		t.Errorf("events %+v, want none", events)
	}
}
