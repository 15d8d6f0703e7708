package session

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

func (s *Store) rosterKey(t tag) string {
	return s.opts.Prefix + "user:" + base64.RawURLEncoding.EncodeToString(t[:])
}

// rosterSealer seals and opens the roster of a tag under a key pair.
func (s *Store) rosterSealer(pair int, t tag, key string) *sealer {
	return newSealer(s.pairs[pair].seal, s.pairs[pair].id, "roster", t[:], s.above+key)
}

// startRoster begins to read the roster of a tag; the function that it returns waits
// for it. In this way loading reads record and roster in one round trip.
func (s *Store) startRoster(ctx context.Context, t tag) func() (*memcached.Item, error) {
	if t == (tag{}) {
		return func() (*memcached.Item, error) { return nil, nil }
	}
	type answer struct {
		item *memcached.Item
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		item, err := s.readRoster(ctx, t)
		answers <- answer{item, err}
	}()
	return func() (*memcached.Item, error) {
		a := <-answers
		return a.item, a.err
	}
}

// readRoster returns what is stored for a tag, nil if there is nothing.
func (s *Store) readRoster(ctx context.Context, t tag) (*memcached.Item, error) {
	item, err := s.client.Get(ctx, s.rosterKey(t))
	if errors.Is(err, memcached.ErrCacheMiss) {
		return nil, nil
	}
	if err != nil {
		return nil, fault("loading the user's roster", err)
	}
	return item, nil
}

// openRoster returns the roster in an item; nil is an empty one. What no key of the
// store sealed, or what was altered, is an empty one, too: the sessions that it held
// have ended, as if it had been evicted, and the next login replaces it. Nothing that
// was revoked comes back by that, since a session is good only while it is in there.
func (s *Store) openRoster(ctx context.Context, pair int, t tag, item *memcached.Item) roster {
	if item == nil {
		return nil
	}
	l, err := s.decodeSealed(pair, t, item)
	if err != nil {
		s.log.warn(ctx, "a user's roster cannot be read, which ends the user's sessions", err)
		return nil
	}
	return l
}

func (s *Store) decodeSealed(pair int, t tag, item *memcached.Item) (roster, error) {
	plain, err := s.rosterSealer(pair, t, item.Key).open(item.Value)
	if err != nil {
		return nil, err
	}
	return decodeRoster(string(plain))
}

// errUnchanged, of a change of a roster, says that there is nothing to write.
var errUnchanged = errors.New("session: the roster is as it was")

// changeRoster changes the roster of a tag, which is one of a key pair.
func (s *Store) changeRoster(ctx context.Context, pair int, t tag, change func(roster) (roster, error)) error {
	for attempt := range maxAttempts {
		item, err := s.readRoster(ctx, t)
		if err != nil {
			return err
		}
		next, err := change(s.openRoster(ctx, pair, t, item))
		if errors.Is(err, errUnchanged) {
			return nil
		}
		if err != nil {
			return err
		}
		switch err = s.writeRoster(ctx, pair, t, item, next); {
		case err == nil:
			return nil
		case !errors.Is(err, memcached.ErrNotStored) && !errors.Is(err, memcached.ErrCASConflict) && !errors.Is(err, memcached.ErrCacheMiss):
			return fault("changing the user's roster", err)
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w, %d times over", ErrConflict, maxAttempts)
}

// writeRoster puts a roster in the place of old, nil if there was none.
func (s *Store) writeRoster(ctx context.Context, pair int, t tag, old *memcached.Item, l roster) error {
	switch {
	case old == nil && len(l) == 0:
		return nil
	case old != nil && old.CAS == 0:
		return errNoCAS
	case len(l) == 0:
		return s.client.CompareAndDelete(ctx, old.Key, old.CAS)
	}
	item := &memcached.Item{Key: s.rosterKey(t), TTL: max(s.opts.AbsoluteTimeout, maxRemembered) + time.Minute}
	item.Value = s.rosterSealer(pair, t, item.Key).seal(l.encode())
	if old == nil {
		return s.client.Add(ctx, item)
	}
	item.CAS = old.CAS
	return s.client.CompareAndSwap(ctx, item)
}

// checkRoster takes the session's place in its user's roster, and reports whether
// it has one.
func (st *state) checkRoster(ctx context.Context, item *memcached.Item) bool {
	t := st.userTag()
	l := st.openRoster(ctx, st.sealed, t, item)
	e := l.find(st.record.handle)
	if e == nil {
		return false
	}
	if now := time.Now(); now.Sub(e.used) >= e.usedEvery() {
		e.used = now
		_ = st.writeRoster(ctx, st.sealed, t, item, l) // another request does it, or the next
	}
	st.place = *e
	return true
}

// reenter writes down in the roster what a save changes of the session's timeouts, and
// that the session is used: in the roster, a shorter idle timeout would have passed since
// it was loaded, as any has when the request took long.
func (st *state) reenter(ctx context.Context, d *draft) error {
	e := st.place
	e.idle, e.end = st.idle(&d.record), st.absoluteEnd(&d.record)
	e.used = time.Now()
	if e.handle == (handle{}) || e.endsAs(&st.place) && e.used.Sub(st.place.used) < e.usedEvery() {
		return nil
	}
	var was place
	err := st.changeRoster(ctx, 0, d.tag, func(l roster) (roster, error) {
		there := l.find(e.handle)
		if there == nil {
			return nil, st.dead("its user's sessions were revoked")
		}
		was = *there // other requests may have changed it
		e.label = was.label
		return l.with(e, st.opts.MaxSessions), nil
	})
	if err == nil {
		if st.before.handle == (handle{}) || !was.endsAs(&st.place) {
			st.before = was
		}
		st.place = e
	}
	return err
}

// takeBack gives the session's place in the roster the timeouts and the time of use
// again that it had before a save that failed. It would be listed as long as they say.
func (st *state) takeBack(ctx context.Context) {
	if st.before.handle == (handle{}) || st.record == nil {
		return
	}
	user := st.record.user
	if st.bound {
		user = st.user
	}
	_ = st.changeRoster(ctx, 0, st.pairs[0].tagOf(user), func(l roster) (roster, error) {
		there := l.find(st.place.handle)
		if there == nil || !there.endsAs(&st.place) {
			return nil, errUnchanged // another request changed it
		}
		e := *there
		e.idle, e.end = st.before.idle, st.before.end
		if e.used.Unix() == st.place.used.Unix() {
			e.used = st.before.used
		}
		return l.with(e, st.opts.MaxSessions), nil
	})
	st.place = st.before
}

// strike takes a session out of its user's roster. Where its record is gone, too, the
// roster may as well keep it until its timeouts pass.
func (s *Store) strike(ctx context.Context, pair int, t tag, h handle) error {
	return s.changeRoster(ctx, pair, t, func(l roster) (roster, error) {
		if l.find(h) == nil {
			return nil, errUnchanged
		}
		return l.without(h), nil
	})
}

// rebind puts a record that is about to be sealed under another key into the
// user's roster under that key. That is done before the old roster is checked: see
// everyRoster.
func (st *state) rebind(ctx context.Context, r *record) error {
	e := st.place
	mine := st.pairs[0].tagOf(r.user)
	err := st.changeRoster(ctx, 0, mine, func(l roster) (roster, error) { return l.with(e, st.opts.MaxSessions), nil })
	if err != nil {
		return err
	}
	t := st.userTag()
	item, err := st.readRoster(ctx, t)
	if err != nil {
		return err
	}
	if st.openRoster(ctx, st.sealed, t, item).find(r.handle) == nil {
		_ = st.strike(ctx, 0, mine, r.handle)
		return st.dead("its user's sessions were revoked")
	}
	return nil
}
