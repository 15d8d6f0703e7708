package store

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

const (
	// lockLife is how long the lock of a key outlives its owner: a process that
	// dies while it loads delays the others by that much.
	lockLife = 5 * time.Second
	// lockRenew is how often an owner renews its lock.
	lockRenew = time.Second
	// lockSure is how long a lock is there for certain after it was renewed: the
	// server's clock can advance by two seconds at once.
	lockSure = lockLife - serverMargin

	// lockMarks is more than a lock has marks.
	lockMarks = 1 << 20
	// lockResting is the value of a lock that nobody owns, while a key whose load
	// has failed is left alone.
	lockResting = 0
)

// loadLock is the right to load a key, for all processes and generations: an item
// of its own, which add creates. Its value is a number that names the owner. A
// Delete of the key marks the lock by adding 1. The owner keeps it, so that nobody
// else loads meanwhile, and sees that what it loads is old.
type loadLock struct {
	client  Client
	key     string
	owner   uint64       // a multiple of lockMarks, not 0
	renewed atomic.Int64 // when it was last known to be held, in Unix nanoseconds
}

func (l *loadLock) init(client Client, key string) {
	var random [8]byte
	_, _ = rand.Read(random[:]) // cannot fail
	// Below 2⁶³, for which memcached has room in a number, and always as long.
	l.owner = (1<<62 | binary.BigEndian.Uint64(random[:])>>2) &^ (lockMarks - 1)
	l.client, l.key = client, key
}

// lockKey returns the key of the lock of a name.
func (c *core) lockKey(name string) string {
	return memcached.SafeKey(c.opts.Prefix, reservedLock+name)
}

func (l *loadLock) item(value uint64) *memcached.Item {
	return &memcached.Item{Key: l.key, Value: strconv.AppendUint(nil, value, 10), TTL: lockLife}
}

// ownerOf returns the owner in an item of a lock, without marks, and whether there
// are marks.
func ownerOf(item *memcached.Item) (owner uint64, marked, ok bool) {
	if item == nil {
		return 0, false, false
	}
	n, err := parseCount(item.Value)
	return n &^ (lockMarks - 1), n&(lockMarks-1) != 0, err == nil
}

// is reports whether an item is this lock.
func (l *loadLock) is(item *memcached.Item) bool {
	owner, _, ok := ownerOf(item)
	return ok && owner == l.owner
}

// untouched reports whether an item is this lock, and no Delete has marked it.
func (l *loadLock) untouched(item *memcached.Item) bool {
	_, marked, _ := ownerOf(item)
	return l.is(item) && !marked
}

// resting reports whether an item is a lock that nobody owns.
func resting(item *memcached.Item) bool {
	owner, _, ok := ownerOf(item)
	return ok && owner == lockResting
}

// take takes the lock, and reports whether it did.
func (l *loadLock) take(ctx context.Context) (bool, error) {
	return l.hold(func() error { return l.client.Add(ctx, l.item(l.owner)) })
}

// takeOver takes a lock that is resting, and reports whether it did.
func (l *loadLock) takeOver(ctx context.Context, resting *memcached.Item) (bool, error) {
	if resting.CAS == 0 { // the server keeps none: who adds it next has it
		return false, ignoreMiss(l.client.Delete(ctx, l.key))
	}
	mine := l.item(l.owner)
	mine.CAS = resting.CAS
	return l.hold(func() error { return l.client.CompareAndSwap(ctx, mine) })
}

// hold notes when the lock was taken, and reports whether it was.
func (l *loadLock) hold(take func() error) (bool, error) {
	began := time.Now()
	switch err := take(); {
	case changedMeanwhile(err):
		return false, nil
	case err != nil:
		return false, err
	}
	l.renewed.Store(began.UnixNano())
	return true, nil
}

// sure reports whether the lock is still held without any doubt.
func (l *loadLock) sure() bool {
	return time.Since(time.Unix(0, l.renewed.Load())) < lockSure
}

// keep renews the lock until ctx ends.
func (l *loadLock) keep(ctx context.Context) {
	ticker := time.NewTicker(lockRenew)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			l.renew(ctx)
		}
	}
}

// renew makes the lock live on. A failure is noticed before the load and after it.
func (l *loadLock) renew(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lockSure)
	defer cancel()
	began := time.Now()
	item, err := l.client.Get(ctx, l.key)
	if err == nil && l.is(item) && l.client.Touch(ctx, l.key, lockLife) == nil {
		l.renewed.Store(began.UnixNano())
	}
}

// unlock gives the lock back, unless it is another's by now. With rest it is
// nobody's for as long as a lock lives.
func (l *loadLock) unlock(ctx context.Context, rest bool) error {
	for range maxAttempts { // each Delete meanwhile marks it
		item, err := l.client.Get(ctx, l.key)
		switch {
		case err != nil:
			return ignoreMiss(err)
		case !l.is(item):
			return nil
		}
		next := l.item(lockResting)
		if !rest || !l.untouched(item) {
			next.TTL = -1
		}
		switch {
		case item.CAS != 0:
			next.CAS = item.CAS
			err = l.client.CompareAndSwap(ctx, next)
		case next.TTL < 0: // the server keeps no versions
			err = l.client.Delete(ctx, l.key)
		default:
			err = l.client.Set(ctx, next)
		}
		if !errors.Is(err, memcached.ErrCASConflict) {
			return ignoreMiss(err)
		}
	}
	return errContended
}

// mark tells the owner of a lock, if there is one, that its key was deleted.
func (c *core) mark(ctx context.Context, lock string) error {
	_, err := c.client.Increment(ctx, lock, 1)
	if uncertain(err) {
		// Marking it twice does no harm.
		_, err = c.client.Increment(ctx, lock, 1)
	}
	if errors.Is(err, memcached.ErrNotNumber) { // not ours
		err = c.client.Delete(ctx, lock)
	}
	return ignoreMiss(err)
}

// markAll is mark of several locks. It reads them first: few are there, and who
// takes one after that loads what is new.
func (c *core) markAll(ctx context.Context, locks []string) error {
	items, err := c.client.GetMulti(ctx, locks)
	present := make([]string, 0, len(items))
	for key := range items {
		present = append(present, key)
	}
	failed := make(map[string]error)
	if !collect(failed, err, locks, locks) {
		return err
	}
	errs := make([]error, len(present))
	_ = each(len(present), func(i int) error { errs[i] = c.mark(ctx, present[i]); return nil })
	for i, key := range present {
		if errs[i] != nil {
			failed[key] = errs[i]
		}
	}
	if len(failed) > 0 {
		return &memcached.MultiError{Errors: failed}
	}
	return nil
}

// ignoreMiss returns err, or nil if it says that there is no item.
func ignoreMiss(err error) error {
	if errors.Is(err, memcached.ErrCacheMiss) {
		return nil
	}
	return err
}

// changedMeanwhile reports whether err says that an item is not as it was, or
// there although it was not.
func changedMeanwhile(err error) bool {
	return errors.Is(err, memcached.ErrNotStored) || errors.Is(err, memcached.ErrCASConflict) || errors.Is(err, memcached.ErrCacheMiss)
}
