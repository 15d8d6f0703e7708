package session

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// A forward stands for a while in the place of a record that Renew took away. It
// tells a logout that still has the old ID which sessions came of it, so that
// those end, too. Like the record it is sealed under its ID. No request gets a
// session by it.
type forward struct {
	until  time.Time
	to     []id   // none: a logout was there before the record, which must not be stored
	record string // what was renewed, for renewals that came second; only if no user is bound
}

const (
	// forwardFor is longer than a renewal and a logout beside it take. After it
	// nothing leads from the old ID to the new session any more, and a renewed
	// session that was not saved cannot be: nothing would say that a logout was
	// there first.
	forwardFor = 10 * time.Minute

	// maxForks bounds how many renewals of one session can succeed.
	maxForks = 16
)

// errRenewed says that a forward was found in the place of a record.
var errRenewed = errors.New("session: the session was renewed")

// forwardItem is a forward in the place of i's record.
func (s *Store) forwardItem(i id, f forward) *memcached.Item {
	plain := binary.AppendVarint(nil, milli(now().Add(forwardFor)))
	plain = append(plain, byte(len(f.to)))
	for _, next := range f.to {
		plain = append(plain, next[:]...)
	}
	d := s.of(i)
	if len(plain)+len(f.record)+sealedExtra <= s.opts.MaxSize {
		plain = append(plain, f.record...)
	}
	return &memcached.Item{Key: d.location, Value: d.sealer(s.pairs, 0).sealAs(forwardVersion, plain), TTL: forwardFor + margin}
}

func decodeForward(plain []byte) (*forward, error) {
	until, rest, err := cutTime(string(plain))
	if err != nil {
		return nil, err
	}
	if len(rest) == 0 || len(rest) < 1+int(rest[0])*len(id{}) {
		return nil, undecodable("cut short")
	}
	f, n := &forward{until: until}, int(rest[0])
	for rest = rest[1:]; n > 0; n-- {
		f.to = append(f.to, id([]byte(rest[:len(id{})])))
		rest = rest[len(id{}):]
	}
	f.record = rest
	return f, nil
}

// endID ends the session of an ID and those that renewals made of it.
func (s *Store) endID(ctx context.Context, i id) error {
	_, err := s.endRecord(ctx, i, s.of(i).location)
	return err
}

// endRecord deletes what stands in an ID's place, after what it leads to has
// ended: should that fail, the next logout finds the way again.
func (s *Store) endRecord(ctx context.Context, i id, location string) (found bool, err error) {
	for attempt := range maxAttempts {
		item, err := s.client.Get(ctx, location)
		if err != nil {
			return false, unlessMissing(err)
		}
		f := s.forwardIn(i, item)
		if f != nil && len(f.to) == 0 {
			return true, nil
		}
		if f != nil && time.Now().Before(f.until) {
			for _, next := range f.to {
				if err := s.forbid(ctx, next); err != nil {
					return true, err
				}
			}
		}
		if err = s.deleteVersion(ctx, item); !errors.Is(err, memcached.ErrCASConflict) {
			return true, unlessMissing(err)
		}
		if err = pause(ctx, attempt); err != nil {
			return true, err
		}
	}
	return true, fmt.Errorf("%w, %d times over", ErrConflict, maxAttempts)
}

// forwardIn returns the forward in an ID's place, nil if it is something else.
func (s *Store) forwardIn(i id, item *memcached.Item) *forward {
	if len(item.Value) == 0 || item.Value[0] != forwardVersion {
		return nil
	}
	plain, _, err := s.open(i, item.Value)
	if err != nil {
		return nil
	}
	f, err := decodeForward(plain)
	if err != nil {
		return nil
	}
	return f
}

// forbid ends the session that a renewal makes, or will make: if its record is
// not there yet, the place is taken.
func (s *Store) forbid(ctx context.Context, i id) error {
	for attempt := range maxAttempts {
		found, err := s.endRecord(ctx, i, s.of(i).location)
		if found || err != nil {
			return err
		}
		if err = s.client.Add(ctx, s.forwardItem(i, forward{})); !errors.Is(err, memcached.ErrNotStored) {
			return err
		}
		if err = pause(ctx, attempt); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w, %d times over", ErrConflict, maxAttempts)
}

// deleteVersion deletes an item if it is as it was read. Servers that keep no
// versions delete it in any case.
func (s *Store) deleteVersion(ctx context.Context, item *memcached.Item) error {
	if item.CAS == 0 {
		return s.client.Delete(ctx, item.Key)
	}
	return s.client.CompareAndDelete(ctx, item.Key, item.CAS)
}
