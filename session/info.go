package session

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"
)

// Info is what a user may know of one of their sessions.
type Info struct {
	// Handle is for Revoke. It gives no access to the session, is not its ID and
	// stays the same when the session is renewed.
	Handle string

	// Label is what Store.Label was given.
	Label string

	// Created is when the session was made, which can be before the login.
	Created time.Time

	// LastUsed is when a request loaded the session last, or saved it,
	// within a quarter of its idle timeout and five minutes.
	LastUsed time.Time
}

// List returns the sessions that are bound to the user, the one that was used
// last first. A session that is not listed has ended: when memcached has evicted
// the user's roster, or what is in its place cannot be read, all have. It is one operation for each key pair.
//
// A session that ended by its idle timeout may be listed for up to five minutes
// more.
func (s *Store) List(ctx context.Context, user string) ([]Info, error) {
	if user == "" {
		return nil, errNoUser
	}
	ctx, done := s.contexts.detached(ctx)
	defer done()
	var all roster
	for pair := range s.pairs {
		t := s.pairs[pair].tagOf(user)
		item, err := s.readRoster(ctx, t)
		if err != nil {
			return nil, err
		}
		for _, e := range s.openRoster(ctx, pair, t, item) {
			if all.find(e.handle) == nil && !e.over(time.Now()) {
				all = append(all, e)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b place) int { return cmp.Or(b.used.Compare(a.used), b.created.Compare(a.created)) })
	infos := make([]Info, len(all))
	for i, e := range all {
		infos[i] = Info{Handle: e.handle.String(), Label: e.label, Created: e.created, LastUsed: e.used}
	}
	return infos, nil
}

// Handle returns the handle of a session that is bound to a user, by which List
// shows it; "" for others.
func (s *Store) Handle(session *sessions.Session) string {
	if session == nil {
		return ""
	}
	st, ok := session.Store().(*state)
	if !ok || st.Store != s || st.place.handle == (handle{}) {
		return ""
	}
	return st.place.handle.String()
}

// Handle returns the handle of gin-contrib's default session: see Store.Handle.
func Handle(c *gin.Context) string {
	session, st, err := defaultSession(c)
	if err != nil {
		return ""
	}
	return st.Store.Handle(session)
}
